/** Lets a request wait until its notification has settled: the ledger says so on a channel of this process. */
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Subscriber } from "../platform/redis.ts";

/** One request's ear for one note. */
export interface Ear {
  /** Resolves true when the note has settled, false when `timeoutMs` ran out. */
  wait(timeoutMs: number): Promise<boolean>;
  /** Nobody waits any more. */
  close(): void;
}

export interface Settlements {
  /** The name under which notes reply to this process. */
  readonly node: string;
  start(): Promise<void>;
  /** Opens an ear, before the note exists, so that no answer is missed. */
  listen(noteId: string): Ear;
  /** Answers all who wait with what is known. */
  close(): void;
}

/** Requests that wait at once in this process; further ones are answered with what is known. */
const MAX_WAITING = 10_000;

export function createSettlements(options: {
  /** A "subscriber" connection of its own. */
  readonly redis: Subscriber;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly node: string;
}): Settlements {
  const { redis, keyspace, clock, node } = options;
  /** Several requests may wait for the same note: the same one, sent again. */
  const ears = new Map<string, Set<PromiseWithResolvers<boolean>>>();
  let open = 0;

  function remove(noteId: string, heard: PromiseWithResolvers<boolean>): void {
    const listening = ears.get(noteId);
    if (listening?.delete(heard) !== true) return;
    open -= 1;
    if (listening.size === 0) ears.delete(noteId);
  }

  function announce(noteId: string, settled: boolean): void {
    for (const heard of ears.get(noteId) ?? []) {
      remove(noteId, heard);
      heard.resolve(settled);
    }
  }

  return {
    node,
    async start() {
      redis.on("smessage", (_channel: string, noteId: string) => announce(noteId, true));
      for (let shard = 0; shard < keyspace.shards; shard += 1) {
        await redis.ssubscribe(keyspace.sharded(shard, `reply:${node}`));
      }
    },
    listen(noteId) {
      const heard = Promise.withResolvers<boolean>();
      if (open >= MAX_WAITING) return { wait: async () => false, close: () => {} };
      const listening = ears.get(noteId) ?? new Set();
      ears.set(noteId, listening.add(heard));
      open += 1;
      const close = (): void => {
        remove(noteId, heard);
        heard.resolve(false);
      };
      return {
        close,
        async wait(timeoutMs) {
          const cancel = clock.after(timeoutMs, close);
          return await heard.promise.finally(cancel);
        },
      };
    },
    close() {
      for (const noteId of ears.keys()) announce(noteId, false);
    },
  };
}
