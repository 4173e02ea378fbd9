/** Lets a request wait until its notification has settled: the ledger says so on a channel of this process. */
import type { Redis } from "ioredis";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";

export interface Settlements {
  /** The name under which notes reply to this process. */
  readonly node: string;
  start(): Promise<void>;
  /** Opens an ear before the note exists, so that no answer is missed. */
  expect(noteId: string): void;
  /** Closes the ear of a note that nobody waits for any more. */
  forget(noteId: string): void;
  /** Resolves true when the note has settled, false when `timeoutMs` ran out. */
  wait(noteId: string, timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

interface Ear {
  readonly settled: PromiseWithResolvers<boolean>;
  cancel?: Cancel;
}

/** Requests that wait at once in this process; further ones are answered with what is known. */
const MAX_WAITING = 10_000;

export function createSettlements(options: {
  /** A "subscriber" connection of its own. */
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly node: string;
}): Settlements {
  const { redis, keyspace, clock, node } = options;
  const ears = new Map<string, Ear>();

  function end(noteId: string, settled: boolean): void {
    const ear = ears.get(noteId);
    if (ear === undefined) return;
    ears.delete(noteId);
    ear.cancel?.();
    ear.settled.resolve(settled);
  }

  return {
    node,
    async start() {
      redis.on("smessage", (_channel: string, noteId: string) => end(noteId, true));
      for (let shard = 0; shard < keyspace.shards; shard += 1) {
        await redis.ssubscribe(keyspace.sharded(shard, `reply:${node}`));
      }
    },
    expect(noteId) {
      if (ears.size < MAX_WAITING) ears.set(noteId, { settled: Promise.withResolvers() });
    },
    forget: (noteId) => end(noteId, false),
    async wait(noteId, timeoutMs) {
      const ear = ears.get(noteId);
      if (ear === undefined) return false;
      ear.cancel = clock.after(timeoutMs, () => end(noteId, false));
      return await ear.settled.promise;
    },
    async close() {
      for (const noteId of ears.keys()) end(noteId, false);
      await Promise.resolve();
    },
  };
}
