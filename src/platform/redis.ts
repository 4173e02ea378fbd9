/** Connections to Redis and the scripts that run in it. */
import { readFileSync } from "node:fs";
import { Redis, type ChainableCommander } from "ioredis";

/** A dead Redis must be a quick 503, not a hanging request. */
const COMMAND_TIMEOUT_MS = 1_000;

/**
 * `command`: for producers and scripts; fails fast while Redis is away.
 * `subscriber`: keeps its subscriptions over reconnects.
 * `blocking`: for BullMQ workers, whose reads wait on purpose.
 */
export type ConnectionKind = "command" | "subscriber" | "blocking";

/** Opens a connection; it connects by itself and keeps trying until closed. */
export function connectRedis(url: string, kind: ConnectionKind): Redis {
  const retryStrategy = (attempt: number): number =>
    Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);
  const redis =
    kind === "command"
      ? new Redis(url, {
          retryStrategy,
          enableOfflineQueue: false,
          commandTimeout: COMMAND_TIMEOUT_MS,
          maxRetriesPerRequest: 0,
        })
      : new Redis(url, { retryStrategy, maxRetriesPerRequest: null });
  // Without a listener every reconnect attempt would print to the console; health reports the state.
  redis.on("error", () => {});
  return redis;
}

/**
 * Runs one command for each item in one round trip and returns the replies in order. A single
 * command goes without a pipeline: making one copies every script of the connection, 5 to 50 us.
 * @throws the first error a command was answered with.
 */
export async function runForEach<T>(
  redis: Redis,
  items: readonly T[],
  command: (target: Redis | ChainableCommander, item: T) => unknown,
): Promise<unknown[]> {
  const [first] = items;
  if (first === undefined) return [];
  if (items.length === 1) return [await command(redis, first)];
  const pipeline = redis.pipeline();
  for (const item of items) command(pipeline, item);
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

/** What a script may be given and may return; replies are parsed with zod by the caller. */
export type ScriptArgument = string | number;
export type RunScript = (
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<unknown>;

/**
 * Loads a Lua script from files put one after the other (shared functions first) and returns the
 * function that runs it by its digest. Redis forgets scripts on restart; ioredis loads them again.
 */
export function loadScript(redis: Redis, name: string, files: readonly URL[]): RunScript {
  const lua = files.map((file) => readFileSync(file, "utf8")).join("\n");
  redis.defineCommand(name, { lua });
  return async (keys, args) => {
    // defineCommand adds a method that the client's type cannot know.
    const command: unknown = Reflect.get(redis, name);
    if (typeof command !== "function") throw new Error(`the script ${name} is not loaded`);
    return await command.call(redis, keys.length, ...keys, ...args);
  };
}
