/** Each step of a notification called by itself, in batches, with what it takes of Redis and of Node. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { closeChannel, markSent } from "../../src/delivery/note-steps.ts";
import { PARTITIONS } from "../../src/queue/lanes.ts";
import { afterChange, type NewNote } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { redisCpuUs } from "./command-stats.ts";
import { createShuffle } from "./load.ts";
import { frameBodyOf, type StepsScene } from "./steps-scene.ts";

/** In the order they are taken. */
export const STEPS = [
  "claim the key",
  "accept",
  "queue and take",
  "fetch",
  "publish",
  "settle",
  "receipt",
] as const;
type Step = (typeof STEPS)[number];

export interface StepCost {
  readonly step: Step;
  readonly batch: number;
  /** Processor time for each notification, in microseconds. */
  readonly redisUs: number;
  readonly nodeUs: number;
}

const WORKER = "bench-worker";
const PATIENCE_MS = 30_000;

/** One notification on its way through the steps. */
interface Item {
  readonly draft: NewNote;
  note: Note | undefined;
}

/**
 * Takes `count` notifications through all steps, `batch` at a time, one call after the other.
 * @throws Error if a step does not do what it is there for
 */
export async function measureSteps(
  scene: StepsScene,
  count: number,
  batch: number,
): Promise<StepCost[]> {
  const batches = draftBatches(scene, count, batch);
  const costs: StepCost[] = [];
  for (const step of STEPS) {
    const redisBefore = await redisCpuUs(scene.server);
    const nodeBefore = process.cpuUsage();
    for (const items of batches) await TAKE[step](scene, items);
    const { user, system } = process.cpuUsage(nodeBefore);
    const redisUs = (await redisCpuUs(scene.server)) - redisBefore;
    const total = batches.length * batch;
    costs.push({ step, batch, redisUs: redisUs / total, nodeUs: (user + system) / total });
  }
  return costs;
}

/** As an envelope holds them: each batch of one partition, which is a quarter of the shards. */
function draftBatches({ users, keyspace, draft }: StepsScene, count: number, batch: number) {
  const groups = [
    ...Map.groupBy(users, (user) => keyspace.shardOfUser(user) % PARTITIONS).values(),
  ];
  const shuffle = createShuffle(users.length);
  return Array.from({ length: Math.ceil(count / batch) }, (_, at): Item[] => {
    const group = groups[at % groups.length] ?? users;
    return Array.from({ length: batch }, () => ({
      draft: draft(group[shuffle() % group.length] ?? ""),
      note: undefined,
    }));
  });
}

const TAKE: Readonly<Record<Step, (scene: StepsScene, items: readonly Item[]) => Promise<void>>> = {
  async "claim the key"({ claims }, items) {
    const results = await claims.claim(
      items.map(({ draft }) => ({
        id: draft.id,
        callerId: draft.callerId,
        userId: draft.userId,
        templateId: draft.templateId,
        idempotencyKey: draft.id,
        eventId: undefined,
        bodyHash: draft.id,
      })),
    );
    expectAll(results, ({ kind }) => kind === "new");
  },

  async accept({ ledger }, items) {
    expectAll(await ledger.accept(items.map(({ draft }) => draft)), (one) => one === "created");
  },

  async "queue and take"(scene, items) {
    const wanted = scene.taken() + items.length;
    await scene.queues.enqueue(
      items.map(({ draft: { id, userId, stage, lane } }) => {
        return { id, userId, stage, lane, attempt: 0 };
      }),
    );
    while (scene.taken() < wanted) await nextTurn();
  },

  async fetch({ ledger }, items) {
    const notes = await ledger.fetch(items.map(({ draft }) => draft.id));
    for (const item of items) item.note = notes.get(item.draft.id);
    expectAll(items, ({ note }) => note?.status === "queued");
  },

  async publish({ ledger, clock }, items) {
    const now = clock.now();
    const publications = items.map((item) => {
      const sent = markSent(noteOf(item), now, now + PATIENCE_MS);
      return { body: frameBodyOf(item.draft), wantsAck: false, sent, after: afterChange(sent) };
    });
    const published = await ledger.publish(publications, WORKER);
    expectAll(published, ({ nodes }) => nodes === 1);
    published.forEach(({ replayId, epoch }, at) => {
      const [item, publication] = [items[at], publications[at]];
      if (item === undefined || publication === undefined) return;
      item.note = { ...publication.after, replayId, epoch };
    });
  },

  async settle({ ledger, clock }, items) {
    const now = clock.now();
    const changes = items.map((item) =>
      closeChannel(noteOf(item), {
        channel: "websocket",
        to: "delivered",
        reason: null,
        now,
        handOverAt: now + PATIENCE_MS,
        sockets: 1,
      }),
    );
    expectAll(await ledger.advance(changes), (applied) => applied);
  },

  async receipt({ receipts }, items) {
    receipts.record(
      items.map(({ draft }) => ({ noteId: draft.id, channel: "websocket", kind: "confirmed" })),
    );
    await receipts.flush();
  },
};

function noteOf({ note }: Item): Note {
  if (note === undefined) throw new Error("a note was not fetched before it was needed");
  return note;
}

function expectAll<T>(results: readonly T[], isGood: (result: T) => boolean): void {
  const bad = results.filter((result) => !isGood(result));
  if (bad.length > 0) throw new Error(`${bad.length} of a batch came to nothing`);
}
