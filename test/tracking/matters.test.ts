/** What the ledger does with matters: the latest word on one decides whether it is warned of. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cancel } from "../../src/delivery/note-steps.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import { readStreamEntry } from "../../src/tracking/audit.ts";
import { recordOf } from "../../src/tracking/stream-fields.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const HOUR_MS = 3_600_000;

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger({ outcomes: true, recipientLimitPerMinute: 3 });
});

afterAll(async () => {
  await book.store.close();
});

/** In six hours; nobody asked for an SMS. */
function warningFor(userId: string): NewNote {
  const sendAt = book.clock.now() + 6 * HOUR_MS;
  const channels = { websocket: book.open(), push: book.open(), sms: book.shut() };
  return book.draft({ userId, status: "scheduled", sendAt, dueAt: sendAt, channels });
}

function saying(key: string, warning?: NewNote): Pick<NewNote, "matter"> {
  const saidAt = book.clock.now();
  return { matter: { key, saidAt, ...(warning === undefined ? {} : { warning }) } };
}

/** All that Redis holds of a note and about it, with its id and the streams' own ids left out. */
async function tracesOf({ id, userId }: Pick<NewNote, "id" | "userId">) {
  const { redis } = book.store;
  const record = await redis.get(book.key(userId, `rec:${id}`));
  const kept = await redis.pttl(book.key(userId, `rec:${id}`));
  const due = await redis.zscore(book.key(userId, "due"), id);
  const trail = await redis.xrange(book.key(userId, "audit"), "-", "+");
  const audit = trail.flatMap(([, fields]) => readStreamEntry(recordOf(fields)));
  const outcomes = await book.outcomes(userId);
  return {
    record,
    due,
    kept: kept > 0,
    audit: audit.filter(({ notification_id }) => notification_id === id).map(withoutId),
    outcomes: outcomes
      .filter(({ data }) => data.notification_id === id)
      .map(({ data: { notification_id: _id, outcome_id: _outcome, ...rest } }) => rest),
  };
}

function withoutId(entry: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== "notification_id"));
}

describe("a warning that an answer cancels", () => {
  it("leaves exactly what one leaves that a person cancels", async () => {
    const byPerson = warningFor("berta");
    const byAnswer = warningFor("berta");
    await book.ledger.accept([byPerson]);
    await book.create({ userId: "berta", ...saying("m", byAnswer) });
    book.clock.advance(HOUR_MS);
    const counted = async () => {
      const fields = await book.counters({ userId: "berta", day: day() });
      return Number(fields["status.cancelled"] ?? 0);
    };

    await book.apply(cancel(await book.read(byPerson.id), book.clock.now()));
    expect(await counted()).toBe(1);
    await book.create({ userId: "berta", ...saying("m") });
    expect(await counted()).toBe(2);
    const traces = await tracesOf(byAnswer);
    expect(traces).toEqual(await tracesOf(byPerson));
    expect(traces).toMatchObject({
      due: null,
      kept: true,
      record: expect.stringMatching(/\n\n=\d+ \d+ cancelled - /),
    });
    expect(traces.outcomes).toMatchObject([{ outcome: "settled", status: "cancelled" }]);
    expect(traces.audit).toMatchObject([{ action: "accepted" }, { result: "cancelled" }]);
  });

  it("is cancelled though the person is not told of the answer: too much was sent", async () => {
    await book.create({ userId: "cecil" });
    const warning = warningFor("cecil");
    await book.create({ userId: "cecil", ...saying("m", warning) });
    const answer = book.draft({ userId: "cecil", priority: "low", ...saying("m") });
    expect(await book.ledger.accept([answer])).toEqual(["suppressed"]);
    expect((await book.read(warning.id)).status).toBe("cancelled");
  });
});

describe("a warning to somebody who is sent too much", () => {
  it("is held back if it is a lesser one, as any other message", async () => {
    for (let sent = 0; sent < 3; sent += 1) await book.create({ userId: "fred" });
    const lesser: NewNote = { ...warningFor("fred"), priority: "standard" };
    const pressing = warningFor("fred");
    await book.create({ userId: "fred", ...saying("lesser", lesser) });
    await book.create({ userId: "fred", ...saying("pressing", pressing) });
    expect((await book.read(lesser.id)).status).toBe("suppressed");
    expect((await book.read(pressing.id)).status).toBe("scheduled");
  });
});

describe("a question that is withdrawn before it is asked", () => {
  it("takes its warning with it", async () => {
    const warning = warningFor("dora");
    const question = await book.create({
      userId: "dora",
      status: "scheduled",
      ...saying("m", warning),
    });
    await book.apply(cancel(question, book.clock.now()));
    expect((await book.read(warning.id)).status).toBe("cancelled");
  });

  it("leaves the warning of the question that came in its place", async () => {
    const first = warningFor("dora");
    const second = warningFor("dora");
    const scheduled = { userId: "dora", status: "scheduled" } as const;
    const question = await book.create({ ...scheduled, ...saying("n", first) });
    await book.create({ ...scheduled, ...saying("n", second) });
    await book.apply(cancel(question, book.clock.now()));
    expect((await book.read(second.id)).status).toBe("scheduled");
  });
});

it("forgets a matter a week after its warning was due", async () => {
  const remembered = () => book.store.redis.pttl(book.key("emil", "matter:m"));
  await book.create({ userId: "emil", ...saying("m", warningFor("emil")) });
  const week = 7 * 24 * HOUR_MS;
  expect(await remembered()).toBeGreaterThan(week + 5 * HOUR_MS);
  expect(await remembered()).toBeLessThanOrEqual(week + 6 * HOUR_MS);
});

const day = (): string => new Date(book.clock.now()).toISOString().slice(0, 10);
