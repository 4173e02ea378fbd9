/**
 * Stands between one process and Redis, and says exactly when the process is to be killed: just
 * before a command of its reaches Redis, or once Redis has done it and before the process hears so.
 */
import { randomUUID } from "node:crypto";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { createCommandReader, writeCommand, type RedisCommand } from "./killing-proxy-commands.ts";

export interface KillPoint {
  /** Sees each command once, in the order sent; so it may count, or wait for another one first. */
  readonly matches: (args: readonly string[]) => boolean;
  /** `before`: Redis never gets it. `after`: Redis has done it, the process is not told. */
  readonly when: "before" | "after";
}

export interface KillingProxy {
  /** For `REDIS_URL`. */
  readonly url: string;
  /**
   * Resolves when the moment has come. From the matching command on nothing passes any more, in
   * either direction and on any connection, so that the process cannot outrun its end.
   */
  reach(point: KillPoint): Promise<void>;
  close(): Promise<void>;
}

interface Armed {
  readonly point: KillPoint;
  readonly reached: PromiseWithResolvers<void>;
}

export async function startKillingProxy(redisUrl: string): Promise<KillingProxy> {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let armed: Armed | undefined;
  let frozen = false;

  function strike(command: RedisCommand, upstream: Socket, { point, reached }: Armed): void {
    frozen = true;
    armed = undefined;
    if (point.when === "before") {
      reached.resolve();
      return;
    }
    // Redis answers in order: the echo of a word comes back once the command before it is done.
    const word = randomUUID();
    let replies = "";
    upstream.on("data", (chunk: Buffer) => {
      replies += chunk.toString("latin1");
      if (!replies.includes(word)) return;
      if (replies.includes("-NOSCRIPT")) reached.reject(new Error("Redis did not know the script"));
      else reached.resolve();
    });
    upstream.write(Buffer.concat([command.bytes, writeCommand("ECHO", word)]));
  }

  const server = createServer((downstream) => {
    const upstream = connect(Number(target.port), target.hostname);
    const read = createCommandReader();
    const end = (): void => {
      sockets.delete(downstream);
      sockets.delete(upstream);
      downstream.destroy();
      // What was passed on is in Redis' hands; only the connection ends.
      upstream.end();
    };
    for (const socket of [downstream, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("close", end);
      // A killed process resets its connections; that is what this is for.
      socket.on("error", () => {});
    }
    downstream.on("data", (chunk: Buffer) => {
      for (const command of read(chunk)) {
        if (frozen) return;
        if (armed?.point.matches(command.args) === true) strike(command, upstream, armed);
        else upstream.write(command.bytes);
      }
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!frozen) downstream.write(chunk);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;

  return {
    url: `redis://127.0.0.1:${port}${target.pathname}`,
    reach(point) {
      armed = { point, reached: Promise.withResolvers() };
      return armed.reached.promise;
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}
