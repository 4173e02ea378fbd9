/**
 * Takes in what services publish on the Redis channels `ws:{user_id}`. Redis keeps no such message:
 * what arrives while nobody listens, or faster than it can be accepted, is gone. So this is best
 * effort, and says what it drops.
 */
import type { Caller } from "../contract/caller.ts";
import type { Logger } from "../platform/logger.ts";
import type { Subscriber } from "../platform/redis.ts";
import type { Accept } from "./accept.ts";
import { createIsolatedAccept, type Poison } from "./accept-isolated.ts";
import {
  BRIDGE_CHANNEL_PREFIX,
  readBridgeMessage,
  type BridgeReading,
  type BridgeRules,
} from "./bridge-message.ts";
import { auditEntries, type EventAudit, type EventAuditEntry } from "./event-audit.ts";
import { detailOf } from "./incoming-event.ts";
import type { Acceptance, Submission } from "./submission.ts";

/** What became of one message. */
export type BridgeOutcome =
  | { readonly kind: "accepted" | "repeated" | "suppressed" }
  | {
      readonly kind: "dropped";
      readonly reason:
        | Extract<BridgeReading, { kind: "unusable" }>["reason"]
        | "too_long"
        | "buffer_full"
        | "refused"
        | "unavailable"
        | "poison";
      readonly detail?: string;
    };

export interface RedisBridge {
  /** Resolves once messages arrive. */
  start(): Promise<void>;
  /** Hears no more, and resolves once everything heard is dealt with. */
  close(): Promise<void>;
}

export interface RedisBridgeOptions extends BridgeRules {
  /** A "subscriber" connection of its own. */
  readonly redis: Subscriber;
  readonly accept: Accept;
  readonly audit: EventAudit;
  readonly logger: Logger;
  /** Once for each message heard; those of one channel in their order, but for a full buffer. */
  readonly onMessage: (channel: string, outcome: BridgeOutcome) => void;
}

/** One accept call takes at most so many, as for Kafka. */
const BATCH = 500;
/** Some ten seconds of accepting; with the length below at most 128 MB. */
const MAX_BUFFERED = 4_000;
const MAX_MESSAGE_LENGTH = 32 * 1_024;

/** Everything but what concerns support plans: anyone who reaches Redis can publish. */
const BRIDGE: Caller = {
  userId: "redis-bridge",
  scopes: new Set(["notify:send:teacher", "notify:send:domain", "notify:send:general"]),
  expiresAt: Number.POSITIVE_INFINITY,
};

/** The last part of a channel's name may be anything. */
const MAX_LOGGED = 200;
const PATTERN = `${BRIDGE_CHANNEL_PREFIX}*`;

interface Heard {
  readonly channel: string;
  readonly text: string;
}

/** A message on its way; `outcome` is set once it is decided. */
interface Entry {
  readonly channel: string;
  readonly submission?: Submission;
  outcome?: BridgeOutcome;
}

type Dropped = Extract<BridgeOutcome, { kind: "dropped" }>;

export function createRedisBridge(options: RedisBridgeOptions): RedisBridge {
  const { redis, logger } = options;
  const acceptIsolated = createIsolatedAccept(options.accept);
  const buffer: Heard[] = [];
  let overflow = 0;
  let working: Promise<void> | undefined;

  function hear(channel: string, text: string): void {
    if (buffer.length >= MAX_BUFFERED) {
      overflow += 1;
      options.onMessage(channel, dropped("buffer_full"));
    } else {
      buffer.push({ channel, text });
    }
    working ??= work();
  }

  async function work(): Promise<void> {
    // The first of a burst waits for those that came in the same packet; what comes while a batch is
    // accepted goes together with the next.
    await Promise.resolve();
    while (buffer.length > 0) await take(buffer.splice(0, BATCH));
    working = undefined;
  }

  async function take(batch: readonly Heard[]): Promise<void> {
    const entries = batch.map((heard) => begin(heard, options));
    const waiting = entries.flatMap((entry) =>
      entry.submission === undefined ? [] : [{ entry, submission: entry.submission }],
    );
    try {
      const results = await acceptIsolated(
        waiting.map(({ submission }) => submission),
        BRIDGE,
      );
      waiting.forEach(({ entry }, at) => {
        const result = results[at];
        if (result !== undefined) entry.outcome = outcomeOf(result);
      });
    } catch (error) {
      logger.warn({ err: error, messages: waiting.length }, "bridge.unavailable");
      for (const { entry } of waiting) entry.outcome = dropped("unavailable");
    }
    await report(entries);
  }

  async function report(entries: readonly Entry[]): Promise<void> {
    const decided = entries.flatMap(({ outcome, ...entry }) =>
      outcome === undefined ? [] : [{ ...entry, outcome }],
    );
    for (const { channel, outcome } of decided) {
      if (outcome.kind === "dropped") {
        const { reason, detail } = outcome;
        logger.warn({ channel: channel.slice(0, MAX_LOGGED), reason, detail }, "bridge.dropped");
      }
      options.onMessage(channel, outcome);
    }
    const lines = auditEntries(decided, BRIDGE.userId);
    if (overflow > 0) lines.push(reportOverflow());
    try {
      await Promise.all(lines.map((line) => options.audit.add(line)));
    } catch (error) {
      logger.warn({ err: error, entries: lines.length }, "bridge.not_audited");
    }
  }

  /** One line for all of them: a flood of messages makes no flood of lines. */
  function reportOverflow(): EventAuditEntry {
    const count = overflow;
    overflow = 0;
    logger.warn({ reason: "buffer_full", messages: count }, "bridge.dropped");
    return { action: "dropped", code: "buffer_full", caller: BRIDGE.userId, count };
  }

  const onMessage = (_pattern: string, channel: string, text: string): void => hear(channel, text);

  return {
    async start() {
      redis.on("pmessage", onMessage);
      await redis.psubscribe(PATTERN);
    },
    async close() {
      redis.off("pmessage", onMessage);
      await working;
      // A connection that is down has no subscription to end.
      await redis.punsubscribe(PATTERN).catch(() => {});
    },
  };
}

function begin(heard: Heard, options: BridgeRules): Entry {
  const { channel, text } = heard;
  if (text.length > MAX_MESSAGE_LENGTH) return { channel, outcome: dropped("too_long") };
  const reading = readBridgeMessage(channel, text, options);
  return reading.kind === "submission"
    ? { channel, submission: reading.submission }
    : { channel, outcome: dropped(reading.reason, reading.detail) };
}

function dropped(reason: Dropped["reason"], detail?: string): Dropped {
  return { kind: "dropped", reason, ...(detail === undefined ? {} : { detail }) };
}

function outcomeOf(result: Acceptance | Poison): BridgeOutcome {
  switch (result.kind) {
    case "accepted":
      if (result.repeated) return { kind: "repeated" };
      return { kind: result.suppressed ? "suppressed" : "accepted" };
    case "refused":
      return dropped("refused", detailOf(result.problem));
    case "deduplicated":
      // Only Kafka's events say of which occurrence they tell.
      return { kind: "repeated" };
    case "poison":
      return dropped("poison", result.error instanceof Error ? result.error.name : "");
  }
}
