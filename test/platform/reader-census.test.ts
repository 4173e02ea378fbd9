/** What /health can tell about readers of events in other processes. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createReaderTelling, readReaderCensus } from "../../src/platform/kafka/reader-census.ts";
import type { ReaderState } from "../../src/platform/kafka/reader-census.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;
beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(() => store.close());

it("the worst state of a role counts, a process that fell silent does not, one that stops is gone", async () => {
  const clock = createManualClock();
  const { redis, keyspace } = store;
  let second: ReaderState = "paused";
  const tellingOf = (nodeId: string, role: "ingest" | "projector", state: () => ReaderState) =>
    createReaderTelling({ redis, keyspace, clock, nodeId, role, state });
  const read = async () => Object.fromEntries(await readReaderCensus({ redis, keyspace, clock }));
  expect(await read()).toEqual({});

  const silent = tellingOf("one", "ingest", () => "connecting");
  await silent.start();
  const living = tellingOf("two", "ingest", () => second);
  await living.start();
  const projector = tellingOf("two", "projector", () => "reading");
  await projector.start();
  expect(await read()).toEqual({ ingest: "connecting", projector: "reading" });

  await silent.close();
  expect(await read()).toEqual({ ingest: "paused", projector: "reading" });

  second = "reading";
  clock.advance(5_000);
  await expect.poll(read).toEqual({ ingest: "reading", projector: "reading" });

  await projector.close();
  expect(await read()).toEqual({ ingest: "reading" });
  await redis.hset(
    keyspace.plain("readers"),
    "three ingest",
    JSON.stringify({ role: "ingest", state: "connecting", at: clock.now() - 15_001 }),
  );
  expect(await read()).toEqual({ ingest: "reading" });
  expect(await redis.hkeys(keyspace.plain("readers"))).toEqual(["two ingest"]);
  await living.close();
});

it("a process that stops while Redis is away stops in good order", async () => {
  const redis = connectRedis(store.url, "command");
  const { keyspace } = store;
  const clock = createManualClock();
  const options = { redis, keyspace, clock, nodeId: "last", role: "ingest" } as const;
  const telling = createReaderTelling({ ...options, state: () => "reading" });
  await telling.start();
  redis.disconnect();
  await expect(telling.close()).resolves.toBeUndefined();
});
