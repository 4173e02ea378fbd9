/** The worker role: takes envelopes from the queues through the three stages, and watches what is due. */
import { guardOptOuts } from "../channels/sms/opt-out-guard.ts";
import { createOptOuts } from "../channels/sms/opt-outs.ts";
import { toE164 } from "../channels/sms/phone-number.ts";
import { createAnswerInbox } from "../channels/websocket/answer-inbox.ts";
import { createUserMirror } from "../channels/websocket/user-mirror.ts";
import { createMessages } from "../delivery/messages.ts";
import { createCondemnation } from "../delivery/poison.ts";
import { createPushStage } from "../delivery/push-stage.ts";
import { createSmsLookup } from "../delivery/sms-lookup.ts";
import { createSmsStage } from "../delivery/sms-stage.ts";
import { createStageDesk, type StageDesk } from "../delivery/stage-desk.ts";
import {
  createWebsocketStage,
  type WebsocketStage,
  type WebsocketStageOptions,
} from "../delivery/websocket-stage.ts";
import type { Cancel } from "../platform/clock.ts";
import { createDuePoller } from "../queue/due-poller.ts";
import { createReminder } from "../queue/reminder.ts";
import { createStageWorkers } from "../queue/stage-workers.ts";
import type { ContentParts } from "./content-parts.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";
import { createProviders, type Providers } from "./providers.ts";
import { createSmsParts } from "./sms-parts.ts";

export interface WorkerRole {
  start(): Promise<void>;
}

export interface WorkerDeps {
  readonly foundation: Foundation;
  readonly parts: DeliveryParts;
  readonly content: ContentParts;
  /** How the outside reaches this service; known once it listens. */
  readonly publicUrl: () => string;
}

const OVERDUE_INTERVAL_MS = 5_000;
const SECOND_MS = 1_000;

function createDesk({ foundation, parts, content }: WorkerDeps, providers: Providers): StageDesk {
  const { config, clock, logger, metrics, sideBySide } = foundation;
  return createStageDesk({
    ledger: parts.ledger,
    preferences: parts.preferences,
    enqueue: (items) => parts.queues.enqueue(items),
    enabled: {
      websocket: true,
      push: providers.enabled.push,
      sms: providers.enabled.sms,
    },
    clock,
    leaseMs: config.DUE_LEASE_MS,
    logger,
    canWord: (note) =>
      note.request !== null && content.templates.get(note.templateId) !== undefined,
    leftToOthers: () => sideBySide.leaveWords(),
    onAttempt: (channel, outcome) => metrics.deliveryAttempts.inc({ channel, outcome }),
    onSettled(note, latencyMs) {
      metrics.notificationsSettled.inc({ status: note.status });
      const channel = Object.entries(note.channels).find(
        ([, record]) => record.state === "delivered",
      );
      if (channel !== undefined)
        metrics.deliveryLatency.observe({ channel: channel[0] }, latencyMs);
    },
  });
}

/** The number to scale workers by. */
function watchOverdue({ clock, metrics }: Foundation, { ledger }: DeliveryParts): Cancel {
  return clock.every(OVERDUE_INTERVAL_MS, () => {
    ledger.overdue().then(
      (count) => metrics.dueOverdue.set(count),
      // Redis is away: health says so, and the last figure stands.
      () => {},
    );
  });
}

/** Frames for other services too, where that is on. */
async function createMirror(
  foundation: Foundation,
): Promise<Pick<WebsocketStageOptions, "onPublished">> {
  if (!foundation.config.MIRROR_USER_CHANNELS) return {};
  const mirror = createUserMirror({
    redis: await foundation.connect("mirror", "command"),
    logger: foundation.logger,
  });
  return {
    onPublished: (note, replayId, epoch, body) =>
      mirror.publish(note.userId, { replayId: Number(replayId), epoch }, body),
  };
}

export async function createWorkerRole(deps: WorkerDeps): Promise<WorkerRole> {
  const { foundation, parts, content } = deps;
  const { config, clock, logger, redis, keyspace, sealing, nodeId, resources } = foundation;
  const providers = createProviders(foundation);
  const desk = createDesk(deps, providers);
  const messages = createMessages({
    templates: content.templates,
    renderer: content.renderer,
    publicUrl: deps.publicUrl,
    iconUrl: config.PUSH_ICON_URL,
    receiptToken: (noteId) => parts.receiptTokens.sign(noteId),
  });
  const condemn = createCondemnation({ ledger: parts.ledger, desk, clock, logger });
  const provider = { desk, clock, leaseMs: config.DUE_LEASE_MS, random: Math.random };
  const websocket: WebsocketStage = createWebsocketStage({
    desk,
    clock,
    logger,
    messages,
    ledger: parts.ledger,
    receipts: parts.receipts,
    workerId: nodeId,
    answerMs: config.GATEWAY_ANSWER_MS,
    ackMs: config.ACK_WAIT_MS,
    ...(await createMirror(foundation)),
  });
  const push = createPushStage({
    ...provider,
    messages,
    channel: providers.push,
    subscriptions: parts.subscriptions,
    condemn,
    smsEnabled: providers.enabled.sms,
    criticalBudgetMs: config.CRITICAL_PUSH_BUDGET_MS,
  });
  const { records, reports, tokens } = createSmsParts(foundation, parts);
  const optOuts = createOptOuts({ redis, keyspace, sealing, clock });
  const sms = createSmsStage({
    ...provider,
    messages,
    providers: providers.sms.map((provider) => ({
      ...provider,
      channel: guardOptOuts(provider.channel, optOuts),
    })),
    caps: providers.smsCaps,
    lookup: createSmsLookup({
      records,
      reports,
      tokens,
      findOf: (name) => providers.sms.find((one) => one.name === name)?.find,
      desk,
      clock,
      logger,
      delaysMs: config.SMS_LOOKUP_SECONDS.map((seconds) => seconds * SECOND_MS),
      timeoutMs: config.PROVIDER_TIMEOUT_MS,
    }),
    optOuts,
    toE164,
  });
  const poller = createDuePoller({
    clock,
    logger,
    index: parts.ledger,
    enqueue: createReminder({
      redis,
      keyspace,
      clock,
      enqueue: (items) => parts.queues.enqueue(items),
    }),
    shards: keyspace.shards,
    intervalMs: config.DUE_POLL_MS,
    leaseMs: config.DUE_LEASE_MS,
  });

  return {
    async start() {
      const inbox = createAnswerInbox({
        redis: await foundation.subscribe("answers"),
        keyspace,
        logger,
        workerId: nodeId,
        onUnread: () => foundation.sideBySide.leftAlone("answer"),
        onAnswers: (answers) => websocket.answers.record(answers),
      });
      await inbox.start();
      resources.add("websocket stage", () => websocket.close());
      const workers = createStageWorkers({
        redis: await foundation.connect("queues", "blocking"),
        keyspace,
        clock,
        logger,
        processors: {
          websocket: (items) => websocket.process(items),
          push: (items) => push.process(items),
          sms: (items) => sms.process(items),
        },
        condemn,
        lockMs: config.QUEUE_LOCK_MS,
        stallCheckMs: config.QUEUE_STALL_MS,
      });
      resources.add("queue workers", () => workers.close());
      await workers.start();
      resources.add("due poller", () => poller.close());
      poller.start();
      providers.start();
      resources.add("overdue gauge", watchOverdue(foundation, parts));
    },
  };
}
