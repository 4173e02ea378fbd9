/**
 * Replays a trace against the running product: real broker, real Redis, roles in processes of their
 * own, a socket for each person; then holds what was seen against the independent count.
 */
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { takeAccount, type Account } from "./account.ts";
import { openBooks, type Books } from "./books.ts";
import { assembleCast, PARTS, type Cast, type Part } from "./cast.ts";
import { DOMAIN_KINDS, TEACHER_TOPICS } from "./catalog.ts";
import { counterFaults } from "./counters.ts";
import { expectedOf, type Expected } from "./expectation.ts";
import { ownersOfIds } from "./frame-check.ts";
import { peopleIn } from "./halves.ts";
import { openListeners, type Listeners } from "./listeners.ts";
import { orderFaults, projectionFaults } from "./order.ts";
import { produceInStep } from "./produce-in-step.ts";
import { untilQuiet } from "./quiet.ts";
import { openStream, type Stream } from "./stream.ts";
import type { TraceRecord } from "./trace-record.ts";

const DEAD_LETTER_TOPIC = "huleedu.notification.dlq.v1";
const DOMAIN_TOPICS = [...DOMAIN_KINDS.values()].flatMap(({ eventTypes }) => eventTypes);
const PARTITIONS = 4;
/** People of whom nobody speaks: whatever reaches them has gone astray. */
const STRANGERS = ["stranger-1", "stranger-2", "stranger-3"];
const DISTURBED_PHASE = 1;

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
  /**
   * False where Redis fails meanwhile: what was accepted and not yet shown then is brought up by the
   * due index, in any order.
   */
  readonly inOrder?: boolean;
  readonly announce: (line: string) => void;
}

/** The product with everything around it. */
interface Stage {
  readonly cast: Cast;
  readonly stream: Stream;
  readonly books: Books;
  readonly listeners: Listeners;
  readonly expected: readonly Expected[];
  readonly keyspace: Keyspace;
  readonly topicPrefix: string;
}

/** What a disturbance can lay hands on. */
export interface Scene extends Stage {
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
  const { phases, topicPrefix, keyspace } = options;
  const expected = expectedOf(phases, { maxAgeMs: options.maxAgeMs, nowMs: Date.now() });
  const stream = await openStream(options.servers, topicPrefix);
  await stream.createTopics([...DOMAIN_TOPICS, ...TEACHER_TOPICS, DEAD_LETTER_TOPIC], PARTITIONS);
  const books = openBooks(options.redisUrl, keyspace);
  const cast = await assembleCast({
    redisUrl: options.redisUrl,
    servers: options.servers,
    keyspace,
    topicPrefix,
    env: { MAX_EVENT_AGE_SECONDS: String(Math.floor(options.maxAgeMs / 1_000)), ...options.env },
  });
  let listeners: Listeners | undefined;
  try {
    listeners = await openHouse(cast, options);
    const stage = { cast, stream, books, listeners, expected, keyspace, topicPrefix };
    const startedAt = performance.now();
    await play(stage, options);
    const seconds = (performance.now() - startedAt) / 1_000;
    const account = await settleUp(stage, options);
    return { ...account, faults: [...account.faults, ...(await cast.close())], seconds };
  } catch (error) {
    throw new Error(`the replay failed; the processes said:\n${cast.logs()}`, { cause: error });
  } finally {
    listeners?.close();
    await cast.close();
    books.close();
    await stream.close();
  }
}

/** Starts the processes and opens the sockets. */
async function openHouse(cast: Cast, options: ReplayOptions): Promise<Listeners> {
  const { phases, processes = {}, announce } = options;
  announce("starting the roles, each as a process");
  await Promise.all(
    PARTS.flatMap((part) => Array.from({ length: processes[part] ?? 1 }, () => cast.start(part))),
  );
  const people = [...new Set([...peopleIn(phases.flat()), ...STRANGERS])];
  const listeners = await openListeners(people, (userId) => cast.socketAddress(userId));
  announce(`${people.length} sockets open, ${STRANGERS.length} of them of strangers`);
  return listeners;
}

async function play(stage: Stage, { phases, disturb, announce }: ReplayOptions): Promise<void> {
  const { stream, listeners, expected } = stage;
  let place = 0;
  for (const [at, phase] of phases.entries()) {
    announce(`part ${at + 1} of ${phases.length}: ${phase.length} records`);
    const records = phase.map((record, index) => ({ record, place: place + index }));
    const upcoming = expected.slice(place, place + phase.length);
    place += phase.length;
    const before = listeners.shown.length;
    const due = upcoming.filter(({ verdict }) => verdict === "delivered").length;
    const untilShown = (count: number): Promise<void> => listeners.untilShown(before + count);
    if (at === DISTURBED_PHASE && disturb !== undefined) {
      const produced = produceInStep(stream, records, upcoming, untilShown);
      const reached = (share: number): Promise<void> => untilShown(Math.ceil(due * share));
      await Promise.all([produced, disturb({ ...stage, produced, reached })]);
    } else await stream.produce(records);
    await untilQuiet({ ...stage, domainTopics: DOMAIN_TOPICS, teacherTopics: TEACHER_TOPICS });
    await listeners.flush();
  }
}

async function settleUp(
  stage: Stage,
  { disturb, inOrder = true }: ReplayOptions,
): Promise<Account> {
  const { cast, stream, books, listeners, expected } = stage;
  const evidence = {
    shown: listeners.shown,
    entries: await books.entries(),
    deadLetters: await stream.read([DEAD_LETTER_TOPIC]),
  };
  const account = takeAccount(expected, evidence, ownersOfIds(expected));
  const teacher = await stream.read(TEACHER_TOPICS);
  const domain = await stream.read(DOMAIN_TOPICS);
  const faults = [
    ...account.faults,
    ...listeners.faults,
    ...(inOrder ? orderFaults(evidence.shown, evidence.entries, teacher) : []),
    ...projectionFaults(domain, teacher),
    // Where a process was killed, its counters are gone, and what it did last was done again.
    ...(disturb !== undefined ? [] : counterFaults(account, await cast.counts())),
  ];
  return { lines: account.lines, faults };
}
