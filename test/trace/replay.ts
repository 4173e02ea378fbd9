/**
 * Replays a trace against the running product: real broker, real Redis, roles in processes of their
 * own, a socket for each person; then holds what was seen against the independent count.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { silentCounts, takeAccount, type Account } from "./account.ts";
import { openBooks, type Books } from "./books.ts";
import { assembleCast, type Cast, type Part } from "./cast.ts";
import { DOMAIN_KINDS, TEACHER_TOPICS } from "./catalog.ts";
import { expectedOf, type Expected } from "./expectation.ts";
import { ownersOfIds } from "./frame-check.ts";
import { peopleIn } from "./halves.ts";
import { openListeners, type Listeners } from "./listeners.ts";
import { orderFaults, projectionFaults } from "./order.ts";
import { behind, openStream, type Stream } from "./stream.ts";
import type { TraceRecord } from "./trace-record.ts";

const DEAD_LETTER_TOPIC = "huleedu.notification.dlq.v1";
const PARTITIONS = 4;
/** People of whom nobody speaks: whatever reaches them has gone astray. */
const STRANGERS = ["stranger-1", "stranger-2", "stranger-3"];
const DISTURBED_PHASE = 1;
const STEP_RECORDS = 20;
const WINDOW_RECORDS = 100;
const POLL_MS = 100;
/** Without any progress. */
const STALL_DEADLINE_MS = 60_000;

export interface ReplayOptions {
  /** Each is settled before the next begins. */
  readonly phases: readonly (readonly TraceRecord[])[];
  readonly servers: string;
  /** In front of all topics, so that a broker can be shared. */
  readonly topicPrefix: string;
  readonly redisUrl: string;
  readonly keyspace: Keyspace;
  readonly maxAgeMs: number;
  /** How many processes of each part; one unless told. */
  readonly processes?: Partial<Readonly<Record<Part, number>>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs while the second phase does, whose records then come no faster than they are shown. */
  readonly disturb?: (scene: Scene) => Promise<void>;
  readonly announce: (line: string) => void;
}

/** What a disturbance can lay hands on. */
export interface Scene {
  readonly cast: Cast;
  readonly stream: Stream;
  readonly books: Books;
  readonly listeners: Listeners;
  readonly expected: readonly Expected[];
  readonly keyspace: Keyspace;
  readonly topicPrefix: string;
  /** Resolves when all records of the phase are on the broker. */
  readonly produced: Promise<void>;
  /** Resolves when this share of what the phase has to show has been shown. */
  reached(share: number): Promise<void>;
}

export interface Replayed extends Account {
  readonly seconds: number;
}

/** @throws Error if the product stops making progress. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { phases, topicPrefix, keyspace, announce } = options;
  const trace = phases.flat();
  const expected = expectedOf(phases, { maxAgeMs: options.maxAgeMs, nowMs: Date.now() });
  const stream = await openStream(options.servers, topicPrefix);
  const books = openBooks(options.redisUrl, keyspace);
  const domainTopics = topicsOf(trace).filter((name) => !isTeacherTopic(name));
  const teacherTopics = [...TEACHER_TOPICS];
  await stream.createTopics(
    [...new Set([...domainTopics, ...allDomainTopics(), ...teacherTopics, DEAD_LETTER_TOPIC])],
    PARTITIONS,
  );
  const cast = await assembleCast({
    redisUrl: options.redisUrl,
    servers: options.servers,
    keyspace,
    topicPrefix,
    env: { MAX_EVENT_AGE_SECONDS: String(Math.floor(options.maxAgeMs / 1_000)), ...options.env },
  });
  let listeners: Listeners | undefined;
  try {
    announce("starting the roles, each as a process");
    await startAll(cast, options.processes ?? {});
    const people = [...new Set([...peopleIn(trace), ...STRANGERS])];
    listeners = await openListeners(people, (userId) => cast.socketAddress(userId));
    announce(`${people.length} sockets open, ${STRANGERS.length} of them of strangers`);

    const startedAt = performance.now();
    const quiet = { cast, stream, books, domainTopics, teacherTopics };
    let place = 0;
    for (const [at, phase] of phases.entries()) {
      announce(`part ${at + 1} of ${phases.length}: ${phase.length} records`);
      const records = phase.map((record, index) => ({ record, place: place + index }));
      const upcoming = expected.slice(place, place + phase.length);
      place += phase.length;
      const due = upcoming.filter(({ verdict }) => verdict === "delivered").length;
      const sockets = listeners;
      const disturb = at === DISTURBED_PHASE ? options.disturb : undefined;
      const shownBefore = listeners.shown.length;
      const produced =
        disturb === undefined
          ? stream.produce(records)
          : produceInStep(stream, records, upcoming, (count) =>
              sockets.untilShown(shownBefore + count),
            );
      const scene = {
        cast,
        stream,
        books,
        listeners: sockets,
        expected,
        keyspace,
        topicPrefix,
        produced,
        reached: (share: number) => sockets.untilShown(shownBefore + Math.ceil(due * share)),
      };
      await Promise.all([produced, disturb?.(scene)]);
      await untilQuiet(quiet);
      await listeners.flush();
    }
    const seconds = (performance.now() - startedAt) / 1_000;

    const evidence = {
      shown: listeners.shown,
      entries: await books.entries(),
      deadLetters: await stream.read([DEAD_LETTER_TOPIC]),
    };
    const disturbed = options.disturb !== undefined;
    const account = takeAccount(expected, evidence, ownersOfIds(expected));
    const [teacher, domain] = [await stream.read(teacherTopics), await stream.read(domainTopics)];
    const faults = [
      ...account.faults,
      ...listeners.faults,
      ...orderFaults(evidence.shown, evidence.entries, teacher),
      ...projectionFaults(domain, teacher),
      // Where a process was killed, its counters are gone, and what it did last was done again.
      ...(disturbed ? [] : counterFaults(account, await cast.counts())),
    ];
    return { lines: account.lines, faults, seconds };
  } catch (error) {
    throw new Error(`the replay failed; the processes said:\n${cast.logs()}`, { cause: error });
  } finally {
    listeners?.close();
    await cast.close();
    books.close();
    await stream.close();
  }
}

/** At most so many are under way: whatever happens meanwhile happens in the middle of a stream. */
async function produceInStep(
  stream: Stream,
  records: readonly { readonly record: TraceRecord; readonly place: number }[],
  expected: readonly Expected[],
  untilShown: (count: number) => Promise<void>,
): Promise<void> {
  let due = 0;
  for (let from = 0; from < records.length; from += STEP_RECORDS) {
    await untilShown(due - WINDOW_RECORDS);
    await stream.produce(records.slice(from, from + STEP_RECORDS));
    due += expected
      .slice(from, from + STEP_RECORDS)
      .filter(({ verdict }) => verdict === "delivered").length;
  }
}

const isTeacherTopic = (name: string): boolean => TEACHER_TOPICS.some((topic) => topic === name);

function topicsOf(trace: readonly TraceRecord[]): string[] {
  return [...new Set(trace.map(({ topic }) => topic))];
}

function allDomainTopics(): string[] {
  return [...DOMAIN_KINDS.values()].flatMap(({ eventTypes }) => eventTypes);
}

async function startAll(cast: Cast, processes: NonNullable<ReplayOptions["processes"]>) {
  const starts = (["front", "worker", "ingest", "projector"] as const).flatMap((part) =>
    Array.from({ length: processes[part] ?? 1 }, () => cast.start(part)),
  );
  await Promise.all(starts);
}

interface Quiet {
  readonly cast: Cast;
  readonly stream: Stream;
  readonly books: Books;
  readonly domainTopics: readonly string[];
  readonly teacherTopics: readonly string[];
}

/** Everything on the topics was read and committed, and every notification has settled. */
async function untilQuiet({ cast, stream, books, domainTopics, teacherTopics }: Quiet) {
  const left = async (topics: readonly string[], group: string): Promise<string[]> =>
    behind(await stream.ends(topics), await stream.committed(group));
  await untilNone("events to project", () => left(domainTopics, cast.groups.projector));
  // Only now does the number of teacher events no longer grow.
  await untilNone("events to take in", () => left(teacherTopics, cast.groups.ingest));
  await untilNone("notifications to settle", async () => {
    const open = await books.unsettled();
    return open === 0 ? [] : [String(open)];
  });
}

async function untilNone(what: string, read: () => Promise<string[]>): Promise<void> {
  let left = "";
  let changedAt = performance.now();
  for (;;) {
    const now = (await read()).join(", ");
    if (now === "") return;
    if (now !== left) changedAt = performance.now();
    left = now;
    if (performance.now() - changedAt > STALL_DEADLINE_MS) {
      throw new Error(`no progress for ${STALL_DEADLINE_MS} ms; ${what}: ${left}`);
    }
    await delay(POLL_MS);
  }
}

/** Outcomes of which a socket shows nothing: the product's own counters must tell the same number. */
function counterFaults({ lines }: Account, counts: ReadonlyMap<string, number>): string[] {
  const sum = (pattern: RegExp): number =>
    [...counts].reduce((total, [name, count]) => total + (pattern.test(name) ? count : 0), 0);
  const silent = silentCounts(lines);
  const dead = lines.filter(({ found }) => found === "dead").length;
  return [
    ["deduplicated", silent.get("deduplicated") ?? 0, sum(/^ingest deduplicated/)],
    ["repeated", silent.get("repeated") ?? 0, sum(/^ingest repeated/)],
    ["stale", silent.get("stale") ?? 0, sum(/skipped stale$/)],
    ["tombstones", silent.get("tombstone") ?? 0, sum(/skipped tombstone$/)],
    ["without an owner", silent.get("no_owner") ?? 0, sum(/skipped no_owner$/)],
    ["dead letters", dead, sum(/^\w+ dead_lettered/)],
  ].flatMap(([what, expected, counted]) =>
    expected === counted ? [] : [`the product counted ${counted} ${what}, not ${expected}`],
  );
}
