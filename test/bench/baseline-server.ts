/**
 * What the measurement itself costs: `POST /notify` straight to `socket.send` in one process. No
 * Redis, no queue, no checks, no records; started by the bench as a process of its own.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";

/** All else in the body goes out again as it came, so that the frame has about its real size. */
const bodySchema = z.looseObject({ user_id: z.string() });

const sockets = new Map<string, { socket: WebSocket; replayId: number }>();
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });

/** Sends one frame to the user's socket. @returns the new notification's id. */
function deliver(text: string): string {
  const request = bodySchema.parse(JSON.parse(text));
  const notificationId = randomUUID();
  const seat = sockets.get(request.user_id);
  if (seat !== undefined) {
    seat.replayId += 1;
    const replayId = String(seat.replayId);
    seat.socket.send(
      JSON.stringify({ ...request, notification_id: notificationId, replay_id: replayId }),
    );
  }
  return notificationId;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  // Without an encoding a request's chunks are buffers.
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = JSON.stringify({ notification_id: deliver(await read(request)) });
    const headers = { "content-type": "application/json", "content-length": body.length };
    response.writeHead(202, headers).end(body);
  } catch (error) {
    response.writeHead(400).end(String(error));
  }
}

const server = createServer((request, response) => void answer(request, response));

server.on("upgrade", (request, stream, head) => {
  // Here a token is just the user's name.
  const user = new URL(request.url ?? "", "http://localhost").searchParams.get("token") ?? "";
  upgrades.handleUpgrade(request, stream, head, (socket) => {
    sockets.set(user, { socket, replayId: 0 });
    socket.send(JSON.stringify({ type: "connected", replay_id: "0" }));
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
