/** A Redis of the replay's own, which it can stop, freeze and kill. */
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  endServer,
  launchServer,
  untilAnswering,
} from "../../src/platform/embedded-redis-process.ts";
import { provisionRedis, type RedisProgram } from "../../src/platform/redis-provision.ts";

const CACHE_DIR = fileURLToPath(new URL("../../.cache/redis", import.meta.url));

export interface RedisServer {
  readonly url: string;
  readonly program: RedisProgram;
  /** Where its files are. */
  readonly dir: string;
  /** Ends it: `stop` lets it write out what it has, `kill` does not. */
  end(how: "stop" | "kill"): Promise<void>;
  /** Starts it again with the data it had, at the same address. */
  restart(): Promise<void>;
  /** A second one, on a copy of the data; only while this one is ended. */
  copy(): Promise<{ readonly url: string; close(): Promise<void> }>;
  /** It keeps its connections and answers nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

export interface RedisServerOptions {
  /** Settings beside the product's own, in the form of arguments. */
  readonly directives?: readonly string[];
  /** Further variables for its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startRedisServer(
  announce: (line: string) => void,
  { directives = [], env = {} }: RedisServerOptions = {},
): Promise<RedisServer> {
  const found = await provisionRedis({ cacheDir: CACHE_DIR, announce });
  const program = { ...found, env: { ...found.env, ...env } };
  const dir = await mkdtemp(path.join(tmpdir(), "schoolbell-redis-"));
  const port = await freePort();

  const launch = async () => {
    const child = launchServer(program, { dir, port, appendOnly: true, directives });
    await untilAnswering(child, port, dir);
    return child;
  };
  let child = await launch();
  const orphanGuard = (): void => void child.kill("SIGKILL");
  process.once("exit", orphanGuard);

  return {
    url: `redis://127.0.0.1:${port}/0`,
    program,
    dir,
    async end(how) {
      if (how === "stop") return await endServer(child);
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    async restart() {
      child = await launch();
    },
    async copy() {
      const twinDir = await mkdtemp(path.join(tmpdir(), "schoolbell-redis-copy-"));
      await cp(dir, twinDir, { recursive: true });
      const twinPort = await freePort();
      const twin = launchServer(program, { dir: twinDir, port: twinPort, appendOnly: true });
      await untilAnswering(twin, twinPort, twinDir);
      return {
        url: `redis://127.0.0.1:${twinPort}/0`,
        async close() {
          await endServer(twin);
          await rm(twinDir, { recursive: true, force: true });
        },
      };
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async close() {
      child.kill("SIGCONT");
      await endServer(child);
      process.off("exit", orphanGuard);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port was given");
  return address.port;
}
