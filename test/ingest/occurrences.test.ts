/** One occurrence rings once, however its two kinds of event arrive, repeat, and are cut short. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdempotencyStore } from "../../src/ingest/idempotency.ts";
import { createOccurrences, type OccurrenceKind } from "../../src/ingest/occurrences.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import {
  batchCompleted,
  envelopeOf,
  openIntakeScene,
  recordOf,
  type IntakeScene,
} from "./intake-scene.ts";

let scene: IntakeScene;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

interface Told {
  readonly kind: OccurrenceKind;
  readonly eventId: string;
}

/** The projector's word and the service's on one occurrence: files of a batch that arrived. */
function recordFor({ kind, eventId }: Told, user: string, correlation_id: string): KafkaRecord {
  const domain = {
    notification_type: "batch_file_added",
    projected_from: "huleedu.file.batch.file.added.v1",
  };
  const data = batchCompleted({
    ...(kind === "domain" ? domain : { notification_type: "batch_files_uploaded" }),
    teacher_id: user,
    correlation_id,
    payload: { batch_id: "batch-1" },
  });
  const event = envelopeOf(data, { event_id: `${user}-${eventId}` });
  return recordOf(event, { timestamp: scene.clock.now() });
}

const domain = (eventId: string): Told => ({ kind: "domain", eventId });
const teacher = (eventId: string): Told => ({ kind: "teacher", eventId });

async function tell(events: readonly Told[], user = randomUUID(), correlation = "c-1") {
  const outcomes = await scene.take(events.map((event) => recordFor(event, user, correlation)));
  return outcomes.map(({ kind }) => kind);
}

describe("an occurrence that two kinds of event tell of", () => {
  it("rings once, whichever comes first", async () => {
    expect(await tell([domain("d"), teacher("t")])).toEqual(["accepted", "deduplicated"]);
    expect(await tell([teacher("t"), domain("d")])).toEqual(["accepted", "deduplicated"]);
  });

  it("rings once when they come apart", async () => {
    const user = randomUUID();
    expect(await tell([domain("d")], user)).toEqual(["accepted"]);
    expect(await tell([teacher("t")], user)).toEqual(["deduplicated"]);
  });

  it("rings for each further event of a kind", async () => {
    expect(await tell([domain("d1"), domain("d2"), teacher("t1"), teacher("t2")])).toEqual([
      "accepted",
      "accepted",
      "deduplicated",
      "accepted",
    ]);
  });

  it("has the same answer for an event that is delivered again", async () => {
    const user = randomUUID();
    const events = [teacher("t1"), domain("d1"), domain("d2")];
    expect(await tell(events, user)).toEqual(["accepted", "deduplicated", "accepted"]);
    expect(await tell(events, user)).toEqual(["repeated", "deduplicated", "repeated"]);
    expect(await tell(events.toReversed(), user)).toEqual(["repeated", "deduplicated", "repeated"]);
  });
});

describe("events that do not tell of the same", () => {
  it("ring each: other users, other occurrences", async () => {
    const user = randomUUID();
    expect(await tell([domain("d")], user, "c-1")).toEqual(["accepted"]);
    expect(await tell([teacher("t")], user, "c-2")).toEqual(["accepted"]);
    expect(await tell([teacher("t")], randomUUID(), "c-1")).toEqual(["accepted"]);
  });

  it("ring each where their templates tell of different things", async () => {
    const user = randomUUID();
    const record = (value: Record<string, unknown>) =>
      recordOf(envelopeOf(batchCompleted({ teacher_id: user, payload: {}, ...value })), {
        timestamp: scene.clock.now(),
      });
    const outcomes = await scene.take([
      record({ notification_type: "batch_file_added", projected_from: "huleedu.a.b.v1" }),
      record({ notification_type: "batch_processing_failed" }),
      record({ notification_type: "batch_phase_outcome", projected_from: "huleedu.a.b.v1" }),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["accepted", "accepted", "accepted"]);
  });

  it("are never dropped for a request, nor a request for them", async () => {
    const user = randomUUID();
    expect(await tell([domain("d")], user)).toEqual(["accepted"]);
    const request = {
      user_id: user,
      template_id: "batch_files_uploaded",
      data: { batch_id: "batch-1", file_count: 2 },
      correlation_id: "c-1",
      strategy: "fallback",
    } as const;
    const caller = { userId: "s", scopes: new Set(["notify:send"]), expiresAt: 0 };
    const [answer] = await scene.accept([{ request, idempotencyKey: undefined }], caller);
    expect(answer?.kind).toBe("accepted");
  });
});

it("claims nothing for an event that is refused, so that the other kind rings", async () => {
  const user = randomUUID();
  const wrong = recordFor(domain("d"), user, "c-1");
  const value = Buffer.from(String(wrong.value).replace('"batch-1"', "7"));
  const outcomes = await scene.take([{ ...wrong, value }, recordFor(teacher("t"), user, "c-1")]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["dead_lettered", "accepted"]);
});

it("is still known in the form in which older versions kept it", async () => {
  const { redis, keyspace } = scene.store;
  const occurrences = createOccurrences({ redis, keyspace });
  const userId = randomUUID();
  const about = { userId, dedupeFamily: "batch_files", correlationId: "c-1" };
  await occurrences.claim([{ ...about, kind: "domain", eventId: "d" }]);
  const [key = ""] = await redis.keys(keyspace.sharded(keyspace.shardOfUser(userId), "occ*"));
  await redis.del(key);
  await redis.hset(key, { first: "domain", domain: "d" });
  const events = [
    { ...about, kind: "teacher", eventId: "t1" },
    { ...about, kind: "teacher", eventId: "t2" },
    { ...about, kind: "domain", eventId: "d2" },
  ] as const;
  expect(await occurrences.claim(events)).toEqual([false, true, true]);
  expect(await occurrences.claim(events)).toEqual([false, true, true]);
});

/** Where a process may die: before or after each of the steps that write. */
const STEPS = ["event id", "occurrence", "note"] as const;
interface Death {
  readonly step: (typeof STEPS)[number];
  readonly when: "before" | "after";
}
/** One delivery of some events, in order, by a process that may die on the way. */
interface Delivery {
  readonly events: readonly number[];
  readonly death: Death | undefined;
}

class Died extends Error {}

/** An intake whose process dies as told: what it did until then stays. */
function mortalIntake(death: Death | undefined, pause: () => Promise<unknown>) {
  const { redis, keyspace } = scene.store;
  const idempotency = createIdempotencyStore({ redis, keyspace });
  const occurrences = createOccurrences({ redis, keyspace });
  const step = async <T>(name: Death["step"], work: () => Promise<T>): Promise<T> => {
    await pause();
    if (death?.step === name && death.when === "before") throw new Died();
    const result = await work();
    if (death?.step === name && death.when === "after") throw new Died();
    return result;
  };
  const accept = scene.acceptWith({
    idempotency: { claim: (claims) => step("event id", () => idempotency.claim(claims)) },
    occurrences: { claim: (events) => step("occurrence", () => occurrences.claim(events)) },
    ledger: {
      accept: (notes) => step("note", () => scene.ledger.accept(notes)),
      depth: () => scene.ledger.depth(),
    },
  });
  return scene.intake({
    // A dead process splits no chunk; it just ends.
    accept: (submissions, caller) =>
      accept(submissions, caller).catch((error: unknown) => {
        if (!(error instanceof Died)) throw error;
        throw Object.assign(new Error("Connection is closed."), { cause: error });
      }),
  });
}

const told = fc.array(fc.constantFrom<OccurrenceKind>("domain", "teacher"), {
  minLength: 1,
  maxLength: 5,
});
const deaths = fc.option(
  fc.record<Death>({
    step: fc.constantFrom(...STEPS),
    when: fc.constantFrom("before" as const, "after" as const),
  }),
  { nil: undefined, freq: 2 },
);

describe("any mixture of deliveries, repetitions and deaths", () => {
  it("loses no occurrence, and rings no pair twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        told,
        fc.infiniteStream(deaths),
        fc.infiniteStream(fc.nat({ max: 1_000 })),
        fc.scheduler(),
        async (kindsTold, fates, dice, scheduler) => {
          const events = kindsTold.map((kind, at): Told => ({ kind, eventId: `e${at}` }));
          const user = randomUUID();
          const deliver = async ({ events: some, death }: Delivery): Promise<boolean> => {
            const handler = mortalIntake(death, () => scheduler.schedule(Promise.resolve()));
            const records = some.flatMap((at) => {
              const event = events[at];
              return event === undefined ? [] : [recordFor(event, user, "c-1")];
            });
            return handler(records).then(
              () => true,
              () => false,
            );
          };
          const throwDice = (sides: number): number => (dice.next().value ?? 0) % sides;
          const fate = (): Death | undefined => fates.next().value;
          // Several processes at once, each with a few of the events; some of them die.
          const deliveries = Array.from({ length: 1 + throwDice(4) }, () => ({
            events: events.map((_, at) => at).filter(() => throwDice(3) > 0),
            death: fate(),
          }));
          await scheduler.waitFor(Promise.all(deliveries.map(deliver)));
          // The broker hands over again until each was dealt with, and then once more.
          for (const at of [...events.keys(), ...events.keys()]) {
            let done = false;
            for (let tries = 0; !done; tries += 1) {
              const death = tries < 3 ? fate() : undefined;
              done = await scheduler.waitFor(deliver({ events: [at], death }));
            }
          }
          const rung = new Set((await rungFor(events, user)).map(({ eventId }) => eventId));
          expect(rung.size).toBe(expectedRings(events));
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Of both kinds together one gives way: the first event of the kind that came second. */
function expectedRings(events: readonly Told[]): number {
  const both = new Set(events.map(({ kind }) => kind)).size === 2;
  return both ? events.length - 1 : events.length;
}

/** Whose notes exist, found by asking once more. */
async function rungFor(events: readonly Told[], user: string): Promise<Told[]> {
  const outcomes = await scene.take(events.map((event) => recordFor(event, user, "c-1")));
  expect(outcomes.every(({ kind }) => kind === "repeated" || kind === "deduplicated")).toBe(true);
  const notes = await scene.notes(outcomes);
  expect(notes).toHaveLength(outcomes.filter(({ kind }) => kind === "repeated").length);
  return events.filter((_, at) => outcomes[at]?.kind === "repeated");
}
