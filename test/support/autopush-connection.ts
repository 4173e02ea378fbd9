/** One browser's connection to our autopush: the protocol that Firefox speaks with its push service. */
import { WebSocket } from "ws";
import { z } from "zod";
import type { Agents, Deliver } from "./autopush-agents.ts";

/** How long a browser's registration id may be (a UUID); Firefox sends it back as we gave it. */
const channelIdSchema = z.uuid();

const clientMessageSchema = z.discriminatedUnion("messageType", [
  z.object({
    messageType: z.literal("hello"),
    uaid: z.string().optional(),
    use_webpush: z.literal(true),
    broadcasts: z.record(z.string(), z.string()).optional(),
  }),
  z.object({
    messageType: z.literal("register"),
    channelID: channelIdSchema,
    key: z.string().optional(),
  }),
  z.object({
    messageType: z.literal("unregister"),
    channelID: channelIdSchema,
    code: z.number().optional(),
  }),
  z.object({
    messageType: z.literal("broadcast_subscribe"),
    broadcasts: z.record(z.string(), z.string()),
  }),
  z.object({
    messageType: z.literal("ack"),
    updates: z.array(
      z.object({ channelID: channelIdSchema, version: z.string(), code: z.number().optional() }),
    ),
  }),
  z.object({ messageType: z.literal("nack"), version: z.string(), code: z.number().optional() }),
  z.object({ messageType: z.literal("ping") }),
]);
type ClientMessage = z.infer<typeof clientMessageSchema>;

/** 100: handed to the service worker; 101: it could not be decrypted; 102: not delivered. */
export interface Ack {
  readonly version: string;
  readonly code: number;
}

export interface ConnectionOptions {
  readonly agents: Agents;
  /** Origin of the endpoints. */
  readonly endpointOrigin: () => string;
  readonly onAck: (ack: Ack) => void;
  readonly onUnregister: (reason: number) => void;
}

/** Both sides of the protocol write an empty object where a ping is meant. */
function parse(text: string): ClientMessage | undefined {
  if (text === "{}") return { messageType: "ping" };
  return clientMessageSchema.safeParse(parseJson(text)).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function serveBrowser(socket: WebSocket, options: ConnectionOptions): void {
  const { agents } = options;
  let uaid: string | undefined;

  const send = (message: object): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  const deliver: Deliver = ({ channelId, version, body, ttlSeconds, topic }) =>
    send({
      messageType: "notification",
      channelID: channelId,
      version,
      ttl: ttlSeconds,
      ...(topic === undefined ? {} : { topic }),
      data: body.toString("base64url"),
      headers: { encoding: "aes128gcm" },
    });

  function hello(known: string | undefined): void {
    const agent = agents.hello(known, deliver);
    uaid = agent.uaid;
    // No versions of broadcasts: a newer one would send the browser to fetch settings elsewhere.
    send({ messageType: "hello", status: 200, uaid, use_webpush: true, broadcasts: {} });
    agent.flush();
  }

  function answer(message: ClientMessage, agent: string): void {
    switch (message.messageType) {
      case "register": {
        const { channelID, key } = message;
        // Firefox pads the key; what senders put into their headers is not padded.
        const vapidPublicKey = key?.replaceAll("=", "");
        const path = agents.register({ uaid: agent, channelId: channelID, vapidPublicKey });
        const pushEndpoint = `${options.endpointOrigin()}${path}`;
        send({ messageType: "register", status: 200, channelID, pushEndpoint });
        return;
      }
      case "unregister":
        agents.unregister(agent, message.channelID);
        send({ messageType: "unregister", status: 200, channelID: message.channelID });
        options.onUnregister(message.code ?? 0);
        return;
      case "ack":
        for (const { version, code } of message.updates) {
          agents.acknowledge(agent, version);
          options.onAck({ version, code: code ?? 100 });
        }
        return;
      case "broadcast_subscribe":
        send({ messageType: "broadcast", broadcasts: {} });
        return;
      case "ping":
        send({});
        return;
      case "hello":
        // Only once on a connection.
        socket.close();
        return;
      case "nack":
        // The worker failed at it: it stays and comes again with the next hello.
        return;
    }
  }

  socket.on("message", (data: Buffer) => {
    const message = parse(data.toString("utf8"));
    if (message === undefined) socket.close(1003);
    else if (uaid !== undefined) answer(message, uaid);
    else if (message.messageType === "hello") hello(message.uaid);
    else socket.close();
  });
  socket.on("close", () => {
    if (uaid !== undefined) agents.leave(uaid, deliver);
  });
}
