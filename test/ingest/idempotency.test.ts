/** Many keys and events claimed at once get the answers that each alone would get. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createIdempotencyStore,
  type Claim,
  type IdempotencyStore,
} from "../../src/ingest/idempotency.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
});

const claimOf = (claim: Partial<Claim>): Claim => ({
  id: randomUUID(),
  callerId: "service-1",
  userId: "teacher-1",
  templateId: "announcement",
  idempotencyKey: undefined,
  eventId: undefined,
  bodyHash: "",
  ...claim,
});

/** More than one script call takes. */
const MANY = 250;

describe.each([
  ["in a few calls", false],
  ["one by one, as in a cluster", true],
])("claims taken %s", (_, apart) => {
  const open = (): IdempotencyStore => createIdempotencyStore({ ...store, apart });

  it("are new once, and find their first id afterwards, each in its place", async () => {
    const idempotency = open();
    const run = randomUUID();
    const claims = Array.from({ length: MANY }, (_item, at) =>
      claimOf(at % 2 === 0 ? { eventId: `${run}-${at}` } : { idempotencyKey: `${run}-${at}` }),
    );
    const first = await idempotency.claim(claims);
    expect(first).toEqual(claims.map(({ id }) => ({ kind: "new", id })));
    const again = claims.map((claim) => ({ ...claim, id: randomUUID() }));
    expect(await idempotency.claim(again.toReversed())).toEqual(
      claims.map(({ id }) => ({ kind: "repeated", id })).toReversed(),
    );
  });

  it("of one event that is there twice are one notification", async () => {
    const idempotency = open();
    const eventId = randomUUID();
    const [one, other, third] = [
      claimOf({ eventId }),
      claimOf({ eventId }),
      claimOf({ eventId, userId: "teacher-2" }),
    ];
    expect(await idempotency.claim([one, other, third])).toEqual([
      { kind: "new", id: one.id },
      { kind: "repeated", id: one.id },
      { kind: "conflict", what: "event_id" },
    ]);
  });

  it("are remembered as long as is promised", async () => {
    const [eventId, idempotencyKey] = [randomUUID(), randomUUID()];
    const before = new Set(await store.redis.keys(`${store.keyspace.prefix}*`));
    await open().claim([claimOf({ eventId, idempotencyKey }), claimOf({ eventId: randomUUID() })]);
    const made = (await store.redis.keys(`${store.keyspace.prefix}*`)).filter(
      (key) => !before.has(key),
    );
    const days = await Promise.all(
      made.map(async (key) => Math.round((await store.redis.ttl(key)) / 86_400)),
    );
    expect(days.toSorted((a, b) => a - b)).toEqual([1, 7, 7]);
  });
});
