/** A whole school term's events through Kafka, the roles and the sockets: each is accounted for. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { isAsExpected } from "../trace/account.ts";
import { DOMAIN_KINDS, TEACHER_TYPES } from "../trace/catalog.ts";
import { replay, type Replayed } from "../trace/replay.ts";
import { differences, reachOf } from "../trace/table.ts";
import { makeTerm } from "../trace/term.ts";

/** Four processes start, on a machine that others may keep busy. */
const TIMEOUT_MS = 150_000;
const DAY_MS = 86_400_000;
const TOLD_AT_MOST = 10;

vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS });

let kafka: TestKafka;
let store: TestRedis;
let replayed: Replayed;

beforeAll(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
  replayed = await replay({
    phases: makeTerm({ seed: 20_261_121, teachers: 16, nowMs: Date.now() }),
    servers: kafka.servers,
    topicPrefix: kafka.prefix,
    redisUrl: store.url,
    keyspace: store.keyspace,
    maxAgeMs: DAY_MS,
    announce: () => {},
  });
});

afterAll(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

it("each event is shown, dropped as a twin, skipped or put aside, as the rules say", () => {
  expect(differences(replayed.lines, TOLD_AT_MOST)).toEqual([]);
  // The term has all of them in it: a count of nothing would prove nothing.
  const verdicts = new Set(replayed.lines.filter(isAsExpected).map(({ found }) => found));
  expect([...verdicts].sort()).toEqual(
    "dead deduplicated delivered expired no_owner repeated stale tombstone".split(" "),
  );
});

it("each kind of domain event and each teacher type reaches its owner's browser", () => {
  expect(reachOf(replayed.lines, true).missing).toEqual([]);
  expect([DOMAIN_KINDS.size, TEACHER_TYPES.size]).toEqual([18, 15]);
});

it("what a browser is shown is right, its owner's, once, in order, and counted", () => {
  expect(replayed.faults).toEqual([]);
});
