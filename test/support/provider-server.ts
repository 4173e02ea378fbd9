/** What the tests' own push service and Twilio have in common: arrivals, scripted replies, a listener. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";

export interface ScriptedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request arrives and is never answered. */
  readonly hang?: boolean;
  /** The request arrives and the connection is reset. */
  readonly reset?: boolean;
  /** The message is taken, and the connection reset before any answer. */
  readonly acceptThenReset?: boolean;
  /** The message is taken, 201 is sent, and the connection cut in the middle of the body. */
  readonly cutBody?: boolean;
  /** The message is taken, 201 is sent, and the body begins and never ends. */
  readonly stallBody?: boolean;
  /** The answer comes this much later. */
  readonly delayMs?: number;
  /** How many requests get this reply before the usual one returns; all of them unless told. */
  readonly times?: number;
}

export interface Arrivals<T> {
  /** All of them, oldest first. */
  readonly received: readonly T[];
  readonly add: (item: T) => void;
  /** The oldest one that `next` has not returned yet, as soon as there is one. */
  readonly next: () => Promise<T>;
}

export function createArrivals<T>(): Arrivals<T> {
  const received: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  let taken = 0;
  return {
    received,
    add(item) {
      received.push(item);
      const waiter = waiting.shift();
      if (waiter === undefined) return;
      taken += 1;
      waiter(item);
    },
    async next() {
      const item = received[taken];
      if (item === undefined) {
        return await new Promise<T>((resolve) => {
          waiting.push(resolve);
        });
      }
      taken += 1;
      return item;
    },
  };
}

/** Replies by address; each counts down its `times`. Then the reply for all addresses, if there is one. */
export function createReplyScript<Reply extends ScriptedReply>(): {
  readonly set: (address: string, reply: Reply) => void;
  /** Asked for each request that finds no reply of its own. */
  readonly setForAll: (choose: () => Reply) => void;
  readonly take: (address: string) => Reply | undefined;
} {
  const replies = new Map<string, { reply: Reply; left: number }>();
  let forAll: (() => Reply) | undefined;
  return {
    setForAll(choose) {
      forAll = choose;
    },
    set(address, reply) {
      replies.set(address, { reply, left: reply.times ?? Number.POSITIVE_INFINITY });
    },
    take(address) {
      const entry = replies.get(address);
      if (entry === undefined || entry.left === 0) return forAll?.();
      entry.left -= 1;
      return entry.reply;
    },
  };
}

export type ProviderHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => Promise<void>;

/** With which a server speaks https. */
export interface ServerCertificate {
  /** In PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface LoopbackServer {
  readonly origin: string;
  /** How many connections were made to it so far. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Listens on a free loopback port; closing also cuts connections that hang. */
export async function listenOnLoopback(
  handle: ProviderHandler,
  certificate?: ServerCertificate,
): Promise<LoopbackServer> {
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request)
      .then(async (body) => await handle(request, response, body))
      .catch((error: unknown) => {
        // A fault of the double must look like one, not like a provider's refusal.
        console.error(error);
        request.socket.destroy();
      });
  };
  const server =
    certificate === undefined ? createServer(serve) : createTlsServer(certificate, serve);
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    connections: () => connections,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** In the middle of a request. Over TLS it is closed instead: Node cannot reset that. */
export function resetConnection({ socket }: IncomingMessage): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** The head promises more than comes. */
export function cutBody(request: IncomingMessage, response: ServerResponse): void {
  stallBody(response, () => request.socket.destroy());
}

/** The head promises more than comes, and the connection stays. */
export function stallBody(response: ServerResponse, then?: () => void): void {
  response.writeHead(201, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"sid":', then);
}

/** Resolves when nothing more happens on it: whether all of the answer was handed to the network. */
export async function wasAnswered(response: ServerResponse): Promise<boolean> {
  if (!response.closed) await new Promise((resolve) => response.once("close", resolve));
  return response.writableFinished;
}
