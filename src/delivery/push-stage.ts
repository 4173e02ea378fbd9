/** The second stage: every browser of the user that subscribed, all at once; one that takes it is enough. */
import type { Outcome, PushAddress, PushChannel, PushMessage } from "../channels/channel.ts";
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note, PushOutcomes } from "../tracking/note.ts";
import type { Messages } from "./messages.ts";
import { retryOrFail, takeInHand, type ProviderStageOptions } from "./provider-stage.ts";
import type { Job } from "./stage-desk.ts";

interface Subscription extends PushAddress {
  readonly subscriptionId: string;
}

export interface PushStageOptions extends ProviderStageOptions {
  readonly channel: PushChannel;
  readonly subscriptions: {
    list(userId: string): Promise<readonly Subscription[]>;
    prune(userId: string, subscriptionId: string): Promise<void>;
  };
  readonly messages: Pick<Messages, "push">;
  /** How long push may fail before a critical notification goes on to SMS, ms. */
  readonly criticalBudgetMs: number;
}

export interface PushStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
}

/** A try of all open subscriptions. */
interface Try {
  readonly outcomes: PushOutcomes;
  /** The longest wait any push service asked for, ms. */
  readonly askedMs: number | undefined;
}

function settledAs(outcome: Outcome): PushOutcomes[string] {
  switch (outcome.kind) {
    case "delivered":
      return "delivered";
    case "gone":
      return "gone";
    case "rejected":
    case "opted_out":
      return "rejected";
    case "retry":
    case "unknown":
      // A push replaces itself by its topic, so one that may have arrived can be sent again.
      return "retry";
  }
}

export function createPushStage(options: PushStageOptions): PushStage {
  const { desk, clock, subscriptions } = options;

  async function sendOne(
    note: Note,
    subscription: Subscription,
    message: PushMessage,
  ): Promise<[string, Outcome]> {
    const startedAt = clock.now();
    const outcome = await options.channel.send(subscription, message);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    desk.report(note, "push", outcome.kind, startedAt, detail);
    if (outcome.kind === "gone") {
      await subscriptions.prune(note.userId, subscription.subscriptionId);
    }
    return [subscription.subscriptionId, outcome];
  }

  async function sendAll(
    note: Note,
    message: PushMessage,
    open: readonly Subscription[],
  ): Promise<Try> {
    const results = await Promise.all(open.map((one) => sendOne(note, one, message)));
    const outcomes = { ...note.pushOutcomes };
    let askedMs: number | undefined;
    for (const [id, outcome] of results) {
      outcomes[id] = settledAs(outcome);
      if (outcome.kind === "retry" && outcome.afterMs !== undefined) {
        askedMs = Math.max(askedMs ?? 0, outcome.afterMs);
      }
    }
    return { outcomes, askedMs };
  }

  function conclude(note: Note, { outcomes, askedMs }: Try): NoteChange {
    const all = Object.values(outcomes);
    const extra = { pushOutcomes: outcomes };
    if (all.includes("delivered")) return desk.closeChannel(note, "push", "delivered", null, extra);
    if (all.includes("retry")) {
      const budgetMs = note.priority === "critical" ? options.criticalBudgetMs : undefined;
      return retryOrFail(options, note, "push", { askedMs, budgetMs, pushOutcomes: outcomes });
    }
    const reason = all.includes("rejected") ? "rejected" : "gone";
    return desk.closeChannel(note, "push", "failed", reason, extra);
  }

  async function deliver(job: Job): Promise<void> {
    const script = sandboxScript(job.note.userId);
    const all = script === undefined ? await subscriptions.list(job.note.userId) : [];
    const open = all.filter(({ subscriptionId }) => {
      const before = job.note.pushOutcomes[subscriptionId];
      return before === undefined || before === "retry";
    });
    const tried = Object.keys(job.note.pushOutcomes).length > 0;
    if (
      open.length === 0 &&
      !tried &&
      (script === undefined || script.push === "no_subscription")
    ) {
      await desk.apply([desk.closeChannel(job.note, "push", "skipped", "no_subscription")]);
      return;
    }
    if (job.note.channels.push.state === "sending") {
      // The worker that had it died. That was a try, so that one which kills workers comes to an end.
      const lapsed = { askedMs: undefined, budgetMs: undefined };
      await desk.apply([retryOrFail(options, job.note, "push", lapsed)]);
      return;
    }
    const note = await takeInHand(options, job.note, "push");
    if (note === undefined) return;
    if (script !== undefined && script.push !== "no_subscription") {
      desk.report(note, "push", script.push.kind, clock.now());
      const result = { outcomes: { sandbox: settledAs(script.push) }, askedMs: undefined };
      await desk.apply([conclude(note, result)]);
      return;
    }
    const message = await desk.compose(note, "push", () =>
      options.messages.push(note, job.preferences, clock.now()),
    );
    if (message === undefined) return;
    await desk.apply([conclude(note, await sendAll(note, message, open))]);
  }

  return {
    async process(items) {
      const jobs = await desk.takeUp("push", items);
      // One that fails for lack of Redis must not hide the others' outcomes.
      const results = await Promise.allSettled(jobs.map(deliver));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
