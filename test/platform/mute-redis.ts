/** Something that answers OK to whatever Redis is asked, and at times nothing at all. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface MuteRedis {
  readonly url: string;
  /** Connections stay, and nothing is answered. */
  fallSilent(): void;
  speakAgain(): void;
  /** Resolves when a client gives up its connection. */
  nextHangUp(): Promise<void>;
  /** How many there have been. */
  connections(): number;
  close(): Promise<void>;
}

/** A command is an array: `*2`, then its words. */
const COMMAND = /^\*\d+\r$/gm;

export async function startMuteRedis(): Promise<MuteRedis> {
  const sockets = new Set<Socket>();
  let silent = false;
  let count = 0;
  let hangUp = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      if (!silent) for (const _ of text.matchAll(COMMAND)) socket.write("+OK\r\n");
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      hangUp.resolve();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP port was given");
  return {
    url: `redis://127.0.0.1:${address.port}/0`,
    fallSilent: () => void (silent = true),
    speakAgain: () => void (silent = false),
    nextHangUp() {
      hangUp = Promise.withResolvers();
      return hangUp.promise;
    },
    connections: () => count,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
