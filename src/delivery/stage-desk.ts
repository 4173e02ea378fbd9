/**
 * Where every stage begins and ends: takes up the notes of an envelope, drops what is stale, does
 * what needs no channel, and afterwards writes decisions to the ledger and hands notes on.
 */
import type { Channel, Lane, Reason } from "../contract/vocabulary.ts";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { afterChange, type NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { closeChannel as closingOf, expire, finish, waitUntil } from "./note-steps.ts";
import type { Preferences } from "./preferences.ts";
import { planStage, type Plan } from "./route-plan.ts";

/** What the stages need of the ledger. */
export interface StageLedger {
  fetchToWork(ids: readonly string[]): Promise<Map<string, Note>>;
  advance(changes: readonly NoteChange[]): Promise<boolean[]>;
}

/** What the stages hand to the queues: the same as `Waiting` there, declared by who needs it. */
export interface Waiting {
  readonly id: string;
  readonly userId: string;
  readonly stage: Channel;
  readonly lane: Lane;
  readonly attempt: number;
}

export interface StageDeskOptions {
  readonly ledger: StageLedger;
  readonly preferences: {
    readMany(userIds: readonly string[]): Promise<Map<string, Preferences>>;
  };
  readonly enqueue: (items: readonly Waiting[]) => Promise<void>;
  /** Channels this installation can use. */
  readonly enabled: Readonly<Record<Channel, boolean>>;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Whether this process knows the note's template and can read its request. */
  readonly canWord: (note: Note) => boolean;
  /** Asked of a note that it cannot: whether another version runs beside this one, that it is left to. */
  readonly leftToOthers: () => Promise<boolean>;
  readonly onSettled: (note: Note, latencyMs: number) => void;
  readonly onAttempt: (channel: Channel, outcome: string) => void;
}

/** A note that this stage is to send, or whose SMS (`sending`) is to be looked for; what its user prefers. */
export interface Job {
  readonly note: Note;
  readonly preferences: Preferences;
}

/** What else is known of a channel that is closed. */
export interface ClosingDetails extends Pick<NoteChange, "sockets" | "pushOutcomes"> {
  /** When it happened, if not just now; epoch ms. */
  readonly at?: number;
  /** When the recipient's side confirmed it; epoch ms. */
  readonly confirmedAt?: number | undefined;
}

export interface StageDesk {
  /** The notes to send now; all others have been dealt with when this resolves. */
  takeUp(
    stage: Channel,
    items: readonly { readonly id: string; readonly attempt: number }[],
  ): Promise<Job[]>;
  /** Writes changes and hands notes on; the note as it is now, or undefined where it had moved on. */
  apply(changes: readonly NoteChange[]): Promise<(Note | undefined)[]>;
  /** The change that closes a channel of a note; nothing is written yet. */
  closeChannel(
    note: Note,
    channel: Channel,
    to: "delivered" | "failed" | "skipped" | "unknown",
    reason: Reason | null,
    extra?: ClosingDetails,
  ): NoteChange;
  /** Puts a note into words. One that cannot be (its template is gone, say) fails alone, and loudly. */
  compose<T>(note: Note, channel: Channel, write: () => T): Promise<T | undefined>;
  /** One structured line and one count for each try of a channel; by whom, where there are several. */
  report(
    note: Note,
    channel: Channel,
    outcome: string,
    startedAt: number,
    detail?: string,
    provider?: string,
  ): void;
}

export function createStageDesk(options: StageDeskOptions): StageDesk {
  const { ledger, clock, logger } = options;

  const closeChannel: StageDesk["closeChannel"] = (note, channel, to, reason, extra = {}) => {
    const now = extra.at ?? clock.now();
    return closingOf(note, {
      channel,
      to,
      reason,
      now,
      handOverAt: now + options.leaseMs,
      sockets: extra.sockets,
      pushOutcomes: extra.pushOutcomes,
      confirmedAt: extra.confirmedAt,
    });
  };

  /** The change a plan asks for without sending anything; undefined where there is none. */
  function changeOf(note: Note, stage: Channel, plan: Plan): NoteChange | undefined {
    switch (plan.act) {
      case "drop":
      case "send":
      case "look":
        return undefined;
      case "skip":
        return closeChannel(note, stage, "skipped", plan.reason);
      case "wait":
        return waitUntil(note, plan.until, clock.now());
      case "expire":
        return expire(note, clock.now());
      case "finish":
        return finish(note, clock.now(), clock.now() + options.leaseMs);
      case "maybe_sent":
        return closeChannel(note, stage, "unknown", "unknown");
      case "no_answer":
        return closeChannel(note, stage, "skipped", "offline");
    }
  }

  async function handOn(notes: readonly { before: Note; after: Note }[]): Promise<void> {
    const moved: Waiting[] = [];
    for (const { before, after } of notes) {
      if (after.stage === null) {
        const latencyMs = clock.now() - Math.max(after.acceptedAt, after.sendAt ?? 0);
        options.onSettled(after, latencyMs);
      } else if (after.stage !== before.stage) {
        const { id, userId, stage, lane, attempt } = after;
        moved.push({ id, userId, stage, lane, attempt });
      }
    }
    if (moved.length === 0) return;
    try {
      await options.enqueue(moved);
    } catch (error) {
      logger.warn({ err: error, notes: moved.length }, "not queued; the due index will find them");
    }
  }

  async function apply(changes: readonly NoteChange[]): Promise<(Note | undefined)[]> {
    if (changes.length === 0) return [];
    const applied = await ledger.advance(changes);
    const after = changes.map((change, at) =>
      applied[at] === true ? afterChange(change) : undefined,
    );
    await handOn(
      changes.flatMap((change, at) => {
        const note = after[at];
        return note === undefined ? [] : [{ before: change.note, after: note }];
      }),
    );
    return after;
  }

  return {
    apply,
    closeChannel,

    async takeUp(stage, items) {
      const notes = await ledger.fetchToWork(items.map((item) => item.id));
      const preferences = await options.preferences.readMany(
        [...notes.values()].map((note) => note.userId),
      );
      const jobs: Job[] = [];
      const changes: NoteChange[] = [];
      for (const item of items) {
        const note = notes.get(item.id);
        const preferred = note && preferences.get(note.userId);
        if (note === undefined || preferred === undefined) continue;
        const plan = planStage(note, {
          stage,
          attempt: item.attempt,
          preferences: preferred,
          enabled: options.enabled,
          now: clock.now(),
        });
        if (plan.act === "send") {
          // Left as it is, it comes up again when its lease is over, and meets another worker in the end.
          if (!options.canWord(note) && (await options.leftToOthers())) continue;
          jobs.push({ note, preferences: preferred });
        }
        if (plan.act === "look") jobs.push({ note, preferences: preferred });
        const change = changeOf(note, stage, plan);
        if (change !== undefined) changes.push(change);
      }
      await apply(changes);
      return jobs;
    },

    async compose(note, channel, write) {
      try {
        return write();
      } catch (error) {
        logger.error({ err: error, notification_id: note.id, channel }, "cannot be put into words");
        await apply([closeChannel(note, channel, "failed", "rejected")]);
        return undefined;
      }
    },

    report(note, channel, outcome, startedAt, detail, provider) {
      options.onAttempt(channel, outcome);
      logger.info(
        {
          event: "delivery.attempted",
          notification_id: note.id,
          user_id: note.userId,
          template_id: note.templateId,
          traceparent: note.request?.traceparent,
          channel,
          provider,
          attempt: note.attempt + 1,
          outcome,
          detail,
          duration_ms: clock.now() - startedAt,
        },
        "delivery.attempted",
      );
    },
  };
}
