/** What the tests of ordered lists share: a list in a corner of its own, and names for items. */
import { createListInlet, createListOutlet, type Batch } from "../../src/queue/ordered-list.ts";
import type { EnvelopeItem } from "../../src/queue/envelope.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import type { TestRedis } from "../support/redis.ts";

export const LIST = "websocket-normal-0";
export const BATCH_SIZE = 100;

export const item = (id: string): EnvelopeItem => ({ id, attempt: 0 });
export const items = (from: number, to: number): EnvelopeItem[] =>
  Array.from({ length: to - from }, (_, index) => item(`note-${from + index}`));

export const idsOf = (batch: Batch | undefined): string[] | undefined =>
  batch?.items().map(({ id }) => id);

/** Both ends of one list. */
export function openList(store: TestRedis) {
  const blocking = connectRedis(store.url, "blocking");
  // The connection that takes wait on is a copy, and is told from all others by this name.
  blocking.options.connectionName = store.prefix;
  const outlet = createListOutlet(blocking, store.keyspace, {
    name: LIST,
    batchSize: BATCH_SIZE,
  });

  /** The connections that takes wait on, as Redis sees them. */
  async function waiters(): Promise<{ id: string; isWaiting: boolean }[]> {
    const lines = String(await store.redis.client("LIST")).split("\n");
    return lines
      .filter((line) => line.includes(` name=${store.prefix} `) && !line.includes("cmd=client"))
      .map((line) => ({
        id: /^id=(\d+)/.exec(line)?.[1] ?? "",
        isWaiting: /flags=\S*b/.test(line),
      }));
  }

  return {
    inlet: createListInlet(store.redis, store.keyspace, LIST),
    outlet,
    isWaitedOn: async () => (await waiters()).some(({ isWaiting }) => isWaiting),
    async cutTakes() {
      for (const { id } of await waiters()) await store.redis.client("KILL", "ID", id);
    },
    close() {
      outlet.close();
      blocking.disconnect();
    },
  };
}
export type OpenList = ReturnType<typeof openList>;
