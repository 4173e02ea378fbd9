/**
 * Whatever happens to notes, and in whatever order: the counters equal a recount of the notes, the
 * list of failed ones holds just those, and other services hear of each change once.
 */
import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHANNELS, type Channel } from "../../src/contract/vocabulary.ts";
import { cancel, condemned, expire, finish, markSent } from "../../src/delivery/note-steps.ts";
import { claim, hold, tryAgain } from "../../src/delivery/provider-steps.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { afterChange, type NoteChange } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { isClosed, isSettled } from "../../src/tracking/status-machine.ts";
import { createTestDesk } from "../delivery/test-desk.ts";
import { createTestSmsParts, type TestSmsParts } from "../delivery/test-sms-parts.ts";
import { countOf, recount } from "./recount.ts";
import { operations, TOUR, USERS, type Operation, type OperationOf } from "./note-operations.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "./test-ledger.ts";

const DAY_MS = 86_400_000;
const RECIPIENT_LIMIT = 3;
const NODE = "node-1";
let book: TestLedger;
let sms: TestSmsParts;
let gateway: Redis;

async function open(apart: boolean): Promise<void> {
  book = await openTestLedger({ outcomes: true, recipientLimitPerMinute: RECIPIENT_LIMIT, apart });
  sms = createTestSmsParts(book, createTestDesk(book));
  const { url, keyspace } = book.store;
  gateway = connectRedis(url, "subscriber");
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    await gateway.ssubscribe(keyspace.sharded(shard, `node:${NODE}`));
  }
}

async function close(): Promise<void> {
  gateway.disconnect();
  await book.store.close();
}

/** The next thing that a stage would do with this note; null if it has nothing to do. */
function stepOf(note: Note, end: OperationOf<"step">["end"]): NoteChange | null {
  const { stage } = note;
  if (stage === null || note.status !== "queued") return null;
  const now = book.clock.now();
  if (end === "expire") return expire(note, now);
  if (end === "condemn") return condemned(note, now);
  const { state } = note.channels[stage];
  if (isClosed(state)) return finish(note, now, now + LEASE_MS);
  const final = end === "again" || end === "lost" || end === "hold" ? "delivered" : end;
  if (stage === "websocket") {
    const reached = end === "delivered" && state === "sent";
    return book.close(note, stage, reached ? "delivered" : "failed");
  }
  const wait = { until: now, now };
  if (end === "hold" && state === "pending") return hold(note, stage, wait);
  if (state === "pending") return claim(note, stage, now, LEASE_MS);
  if (state !== "sending") return null;
  const failure = { at: now, now };
  if (end === "again") return tryAgain(note, stage, failure);
  if (end === "hold") return hold(note, stage, wait);
  if (end === "lost") return tryAgain(note, stage, { ...failure, workerLost: true });
  return book.close(note, stage, final);
}

/** To the gateway that holds all users but the first, who is not online. */
async function publish(note: Note): Promise<void> {
  const now = book.clock.now();
  const sent = markSent(note, now, now + LEASE_MS);
  const [place] = await book.ledger.publish(
    [{ body: "{}", wantsAck: false, sent, after: afterChange(sent) }],
    "worker",
  );
  // The first one has no sockets, and nobody to wait for.
  if (place?.nodes !== 0) return;
  await book.ledger.advance([
    book.close({ ...afterChange(sent), ...place }, "websocket", "skipped"),
  ]);
}

async function step(note: Note, { end, twice }: OperationOf<"step">) {
  const publishes = note.stage === "websocket" && end !== "failed" && end !== "expire";
  if (publishes && note.channels.websocket.state === "pending") {
    await publish(note);
    // What an envelope that was delivered twice would do.
    if (twice) await publish(note);
    return;
  }
  const change = stepOf(note, end);
  if (change !== null) await book.ledger.advance(twice ? [change, change] : [change]);
}

/** Puts down that an SMS is being sent, as the stage does, if this step took one in hand. */
async function putDown(run: Run, before: Note): Promise<void> {
  const { id, channels, request } = await book.read(before.id);
  if (before.channels.sms.state === "sending" || channels.sms.state !== "sending") return;
  const sentAt = channels.sms.at;
  run.sentAt.set(id, sentAt);
  const what = { provider: "twilio", phoneNumber: "+1", text: "", request: request ?? undefined };
  await sms.records.begin({ noteId: id, sentAt, ...what });
}

interface Run {
  /** When the SMS of a note was last taken in hand. */
  readonly sentAt: Map<string, number>;
  readonly users: readonly string[];
  readonly ids: string[];
  /** `settled failed`: what other services should hear, by note. */
  readonly expected: Map<string, string[]>;
}

async function accept(run: Run, operation: OperationOf<"accept">): Promise<void> {
  const { user, open, lesser, scheduled } = operation;
  const state = (name: Channel) => (open.includes(name) ? book.open() : book.shut());
  const note = book.draft({
    userId: run.users[user] ?? "",
    status: scheduled ? "scheduled" : "queued",
    stage: open[0] ?? "websocket",
    priority: lesser ? "low" : "high",
    channels: { websocket: state("websocket"), push: state("push"), sms: state("sms") },
  });
  const results = await book.ledger.accept([note, note]);
  expect(results[1]).toBe(scheduled || results[0] === "suppressed" ? "existed" : "waiting");
  run.ids.push(note.id);
  run.expected.set(note.id, results[0] === "suppressed" ? ["settled suppressed"] : []);
}

/** What should be told of the difference between a note before and after, told by its states alone. */
function toTell(before: Note, after: Note): string[] {
  const told: string[] = [];
  if (!isSettled(before.status) && isSettled(after.status)) told.push(`settled ${after.status}`);
  if (isSettled(before.status) && before.status !== "delivered" && after.status === "delivered") {
    told.push("late delivered");
  }
  if (isSettled(before.status) && after.status === "queued") told.push("redriven queued");
  const hadGone = ["delivered", "unknown"].includes(before.channels.sms.state);
  if (isSettled(before.status) && hadGone && after.channels.sms.state === "failed") {
    if (isSettled(after.status)) told.push(`settled ${after.status}`);
  }
  const confirmed = (note: Note): number =>
    CHANNELS.filter((name) => note.channels[name].state === "confirmed").length;
  if (confirmed(after) > confirmed(before)) told.push(`confirmed ${after.status}`);
  return told;
}

async function perform(run: Run, operation: Operation): Promise<void> {
  if (operation.kind === "accept") return await accept(run, operation);
  const id = run.ids[operation.which % Math.max(1, run.ids.length)];
  if (id === undefined) return;
  const before = await book.read(id);
  switch (operation.kind) {
    case "step":
      await step(before, operation);
      await putDown(run, before);
      break;
    case "report": {
      const sentAt = operation.isOld ? 1 : (run.sentAt.get(id) ?? 1);
      const report = { status: operation.status, fault: "30003" };
      await sms.reports.receive({ noteId: id, sentAt }, report);
      await sms.reports.receive({ noteId: id, sentAt }, report);
      break;
    }
    case "receive": {
      const receipt = { noteId: id, channel: operation.channel, kind: operation.as };
      await book.receive(receipt, receipt);
      break;
    }
    case "redrive": {
      const order = { by: "boss", channels: operation.channels };
      const both = await Promise.all([
        book.deadNotes.redrive(id, order),
        book.deadNotes.redrive(id, order),
      ]);
      const done = both.filter(({ kind }) => kind === "redriven").length;
      expect(done).toBe(
        (await book.read(id)).status === "queued" && before.status === "failed" ? 1 : 0,
      );
      break;
    }
    case "cancel":
      if (before.status === "scheduled") {
        await book.ledger.advance([cancel(before, book.clock.now())]);
      }
  }
  run.expected.get(id)?.push(...toTell(before, await book.read(id)));
}

/** What analytics say; a counter at zero is as good as none. */
async function counted(notes: readonly Note[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  const day = notes[0]?.day ?? "";
  for (let shard = 0; shard < book.store.keyspace.shards; shard += 1) {
    const key = book.store.keyspace.sharded(shard, `stat:${day}`);
    for (const [field, value] of Object.entries(await book.store.redis.hgetall(key))) {
      if (/^(type|latency)/.test(field)) continue;
      sums[field] = (sums[field] ?? 0) + Number(value);
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, value]) => value !== 0));
}

async function members(run: Run, name: string): Promise<string[]> {
  const keys = new Set(run.users.map((user) => book.key(user, name)));
  const found = await Promise.all([...keys].map((key) => book.store.redis.zrange(key, "0", "-1")));
  return found.flat().toSorted();
}

async function begin(run: number): Promise<Run> {
  // A day and users of its own: what other runs counted and left behind is elsewhere.
  book.clock.advance(DAY_MS);
  const { redis, keyspace } = book.store;
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    await redis.del(...["dead", "due", "told"].map((name) => keyspace.sharded(shard, name)));
  }
  const users = Array.from({ length: USERS }, (_, user) => `run-${run}-user-${user}`);
  for (const online of users.slice(1)) {
    await redis.hset(book.key(online, `here:${online}`), NODE, `1@${book.clock.now() + DAY_MS}`);
  }
  return { users, ids: [], expected: new Map(), sentAt: new Map() };
}

describe.each([
  ["one call for notes of all shards", false],
  ["a call for each shard, as in a cluster", true],
])("after any sequence of events, with %s", (_name, apart) => {
  beforeAll(() => open(apart));
  afterAll(close);

  it("counters, the list of failed notes, due notes and outcomes agree with the notes", async () => {
    let runs = 0;
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        runs += 1;
        const run = await begin(runs);
        for (const one of sequence) {
          book.clock.advance(7);
          await perform(run, one);
        }
        const notes = await Promise.all(run.ids.map((id) => book.read(id)));
        const idsOf = (wanted: (note: Note) => boolean) =>
          notes
            .filter(wanted)
            .map(({ id }) => id)
            .toSorted();

        const late = [...run.expected.values()].flat().filter((word) => word === "late delivered");
        expect(await counted(notes)).toEqual({
          ...recount(notes),
          ...countOf("late", late.length),
        });
        expect(await members(run, "dead")).toEqual(idsOf(({ status }) => status === "failed"));
        expect(await members(run, "due")).toEqual(idsOf(({ status }) => !isSettled(status)));

        const told = new Map(run.ids.map((id): [string, string[]] => [id, []]));
        const shards = new Map(run.users.map((user) => [book.key(user, "told"), user]));
        for (const user of shards.values()) {
          for (const { data } of await book.outcomes(user)) {
            told.get(data.notification_id)?.push(`${data.outcome} ${data.status}`);
          }
        }
        expect(told).toEqual(run.expected);
        for (const words of told.values()) for (const word of words) seen.add(word);
      }),
      { numRuns: 80, examples: [[TOUR]] },
    );
    // They went everywhere that matters, or the agreement would mean little.
    expect([...seen]).toEqual(
      expect.arrayContaining([
        "settled delivered",
        "settled failed",
        "settled stored",
        "settled suppressed",
        "settled cancelled",
        "settled expired",
        "late delivered",
        "redriven queued",
        "confirmed delivered",
      ]),
    );
  });
});
