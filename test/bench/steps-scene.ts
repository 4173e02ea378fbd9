/** What the steps of a notification need to be called one by one: parts of the product, on a Redis of their own. */
import { randomBytes, randomUUID } from "node:crypto";
import { createIdempotencyStore } from "../../src/ingest/idempotency.ts";
import { createSystemClock } from "../../src/platform/clock.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createStageQueues } from "../../src/queue/stage-queues.ts";
import { createStageWorkers } from "../../src/queue/stage-workers.ts";
import { createHistory } from "../../src/tracking/history.ts";
import { createLedger } from "../../src/tracking/ledger.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import { createReceipts } from "../../src/tracking/receipts.ts";
import type { BenchRedis } from "./bench-redis.ts";
import { usersOf } from "./load.ts";
import type { BenchContext } from "./scenarios.ts";
import { PRODUCT_KEYS } from "./target.ts";

/** The product's defaults. */
const LOCK_MS = 10_000;
const STALL_MS = 5_000;
const HISTORY = { historySize: 100, historySeconds: 604_800, pendingSeconds: 300 } as const;
const DUE_MS = 30_000;
const GATEWAY = "bench-gateway";

export type StepsScene = Awaited<ReturnType<typeof openStepsScene>>;

/** Users have a socket each on a gateway that listens and says nothing. */
export async function openStepsScene(
  { resources }: BenchContext,
  server: BenchRedis,
  userCount: number,
) {
  const connect = (name: string, kind: "command" | "subscriber" | "blocking") => {
    const redis = connectRedis(server.url, kind);
    resources.add(`connection ${name}`, () => redis.disconnect());
    return new Promise<typeof redis>((resolve) => redis.once("ready", () => resolve(redis)));
  };
  const redis = await connect("ledger", "command");
  const keyspace = PRODUCT_KEYS;
  const clock = createSystemClock();
  const sealing = createSealing(randomBytes(32));
  const logger = createSilentLogger();
  const shared = { redis, keyspace, clock, sealing, logger, outcomes: false };
  const ledger = createLedger({ ...shared, ...HISTORY, recipientLimitPerMinute: 0 });
  const receipts = createReceipts(shared);
  resources.add("receipts", () => receipts.close());
  const queues = createStageQueues({ ...shared, redis: await connect("queue writers", "command") });
  resources.add("queues", () => queues.close());

  let taken = 0;
  const count = async (items: readonly unknown[]): Promise<void> => {
    taken += items.length;
  };
  const workers = createStageWorkers({
    ...shared,
    redis: await connect("queues", "blocking"),
    processors: { websocket: count, push: count, sms: count },
    condemn: async () => {},
    lockMs: LOCK_MS,
    stallCheckMs: STALL_MS,
  });
  resources.add("queue workers", () => workers.close());
  await workers.start();

  const users = usersOf(userCount);
  const subscriber = await connect("gateway", "subscriber");
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    await subscriber.ssubscribe(keyspace.sharded(shard, `node:${GATEWAY}`));
  }
  const history = createHistory({ ...shared, size: 100 });
  const join = { nodeId: GATEWAY, sockets: 1, replay: { kind: "none" } } as const;
  for (const userId of users) await history.join({ ...join, userId });

  function draft(userId: string): NewNote {
    const now = clock.now();
    const open = { state: "pending", reason: null, at: now, confirmedAt: null } as const;
    return {
      id: keyspace.newNoteId(userId),
      userId,
      status: "queued",
      stage: "websocket",
      lane: "normal",
      acceptedAt: now,
      priority: "standard",
      templateId: "announcement",
      notificationType: "announcement",
      family: "general",
      strategy: "fallback",
      callerId: "service-bench",
      correlationId: randomUUID(),
      eventId: null,
      replyTo: null,
      channels: {
        websocket: open,
        push: open,
        sms: { ...open, state: "skipped", reason: "not_requested" },
      },
      expiresAt: null,
      sendAt: null,
      request: { data: CONTENT, correlation_id: randomUUID() },
      dueAt: now + DUE_MS,
    };
  }

  return {
    users,
    keyspace,
    clock,
    ledger,
    receipts,
    queues,
    draft,
    server: server.client,
    claims: createIdempotencyStore(shared),
    /** Notes that the workers were handed so far. */
    taken: () => taken,
  };
}

const CONTENT = {
  title: "Room change for the next lesson",
  body: "Mathematics 7B meets in room 214 today. Please bring the blue workbook.",
};

/** What a gateway would be sent for this note. */
export function frameBodyOf(note: NewNote): string {
  return JSON.stringify({
    type: note.templateId,
    event: note.templateId,
    notification_id: note.id,
    notification_type: note.notificationType,
    category: "system_alerts",
    priority: note.priority,
    title: CONTENT.title,
    body: CONTENT.body,
    dir: "ltr",
    locale: "en",
    data: CONTENT,
    action_required: false,
    deadline: null,
    timestamp: new Date(note.acceptedAt).toISOString(),
    correlation_id: note.correlationId,
  });
}
