/** The second stage: every browser of the user that subscribed, all at once; one that takes it is enough. */
import type { GuardedChannel, Pass } from "../channels/breaker/guarded-channel.ts";
import type { Outcome, PushAddress, PushMessage } from "../channels/channel.ts";
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note, PushOutcomes } from "../tracking/note.ts";
import type { Messages } from "./messages.ts";
import { createMutex } from "../queue/mutex.ts";
import {
  holdOrFail,
  phoneNumberOf,
  retryOrFail,
  takeInHand,
  type Patience,
  type ProviderStageOptions,
} from "./provider-stage.ts";
import type { Job } from "./stage-desk.ts";
import { hasWorkersToAnswerFor, isPoisonous, type Condemn } from "./poison.ts";

interface Subscription extends PushAddress {
  readonly subscriptionId: string;
}

export interface PushStageOptions extends ProviderStageOptions {
  readonly channel: GuardedChannel<PushAddress, PushMessage>;
  readonly subscriptions: {
    list(userId: string): Promise<readonly Subscription[]>;
    prune(userId: string, subscriptionId: string): Promise<unknown>;
  };
  readonly messages: Pick<Messages, "push">;
  /** Ends notes that no worker survives. */
  readonly condemn: Condemn;
  /** Whether this installation sends SMS at all. */
  readonly smsEnabled: boolean;
  /** How long push may fail before a critical notification goes on to SMS, ms. */
  readonly criticalBudgetMs: number;
}

export interface PushStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
}

/** A subscription that may be sent to now. */
interface Open {
  readonly subscription: Subscription;
  readonly pass: Extract<Pass<PushMessage>, { kind: "admitted" }>;
}

/** What is left of a note's subscriptions, by whether their push services may be asked now. */
interface Reach {
  readonly open: readonly Open[];
  readonly held: readonly Subscription[];
  /** When the first of those held may be asked; epoch ms. */
  readonly heldUntil: number;
  /** What became of those that are done with. */
  readonly done: PushOutcomes;
}

/** A try of all open subscriptions. */
interface Try {
  readonly outcomes: PushOutcomes;
  /** Subscriptions that their push service no longer knows. */
  readonly gone: readonly string[];
  /** The longest wait any push service asked for, ms. */
  readonly askedMs: number | undefined;
  /** Only services failed that were asked to find out whether they are back. */
  readonly isProbe: boolean;
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

function release({ open }: Reach): void {
  for (const { pass } of open) pass.release();
}

export function createPushStage(options: PushStageOptions): PushStage {
  const { desk, clock, subscriptions } = options;
  const oneAtATime = createMutex();

  /** An SMS may follow: as far as can be told without asking who opted out. */
  function mayText(job: Job): boolean {
    if (!options.smsEnabled || job.note.channels.sms.state !== "pending") return false;
    return job.preferences.channels.sms && phoneNumberOf(job) !== undefined;
  }

  const patienceWith = (note: Note, hasNext: boolean): Patience => ({
    hasNext,
    budgetMs: note.priority === "critical" ? options.criticalBudgetMs : undefined,
  });

  async function sendOne(
    note: Note,
    { subscription, pass }: Open,
    message: PushMessage,
  ): Promise<[string, Outcome]> {
    const startedAt = clock.now();
    const outcome = await pass.send(message);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    desk.report(note, "push", outcome.kind, startedAt, detail);
    return [subscription.subscriptionId, outcome];
  }

  async function sendAll(note: Note, message: PushMessage, reached: Reach): Promise<Try> {
    const { open, held, done } = reached;
    const results = await Promise.all(open.map((one) => sendOne(note, one, message)));
    const outcomes = { ...done };
    const gone: string[] = [];
    for (const { subscriptionId } of held) outcomes[subscriptionId] = "retry";
    let askedMs: number | undefined;
    let isProbe = true;
    for (const [at, [id, outcome]] of results.entries()) {
      outcomes[id] = settledAs(outcome);
      if (outcome.kind === "gone") gone.push(id);
      if (outcomes[id] === "retry" && open[at]?.pass.isProbe === false) isProbe = false;
      if (outcome.kind === "retry" && outcome.afterMs !== undefined) {
        askedMs = Math.max(askedMs ?? 0, outcome.afterMs);
      }
    }
    return { outcomes, gone, askedMs, isProbe };
  }

  function conclude(note: Note, tried: Omit<Try, "gone">, hasNext: boolean): NoteChange {
    const { outcomes, askedMs, isProbe } = tried;
    const all = Object.values(outcomes);
    const extra = { pushOutcomes: outcomes };
    if (all.includes("delivered")) return desk.closeChannel(note, "push", "delivered", null, extra);
    if (all.includes("retry")) {
      const waiting = { ...patienceWith(note, hasNext), ...extra, askedMs };
      return isProbe
        ? holdOrFail(options, note, "push", { ...waiting, until: clock.now() })
        : retryOrFail(options, note, "push", waiting);
    }
    const reason = all.includes("rejected") ? "rejected" : "gone";
    return desk.closeChannel(note, "push", "failed", reason, extra);
  }

  /**
   * Asks for leave to send to each subscription that is not done with. One that was to be tried again
   * may be there no more: unsubscribed, or found to be gone by another notification.
   */
  function reach(note: Note, all: readonly Subscription[]): Reach {
    const done = Object.fromEntries(
      Object.entries(note.pushOutcomes).filter(([, outcome]) => outcome !== "retry"),
    );
    const open: Open[] = [];
    const held: Subscription[] = [];
    let heldUntil = Number.POSITIVE_INFINITY;
    for (const subscription of all) {
      if (done[subscription.subscriptionId] !== undefined) continue;
      const pass = options.channel.admit(subscription);
      if (pass.kind === "admitted") open.push({ subscription, pass });
      else {
        held.push(subscription);
        heldUntil = Math.min(heldUntil, pass.until);
      }
    }
    return { open, held, heldUntil, done };
  }

  async function deliverSandboxed(job: Job, script: Outcome | "no_subscription"): Promise<void> {
    if (script === "no_subscription") {
      await desk.apply([desk.closeChannel(job.note, "push", "skipped", "no_subscription")]);
      return;
    }
    const note = await takeInHand(options, job.note, "push");
    if (note === undefined) return;
    desk.report(note, "push", script.kind, clock.now());
    const outcomes = { sandbox: settledAs(script) };
    const tried = { outcomes, askedMs: undefined, isProbe: false };
    await desk.apply([conclude(note, tried, note.channels.sms.state === "pending")]);
  }

  async function deliverTo(reached: Reach, job: Job): Promise<void> {
    const note = await takeInHand(options, job.note, "push");
    if (note === undefined) return;
    const message = await desk.compose(note, "push", () =>
      options.messages.push(note, job.preferences, clock.now()),
    );
    if (message === undefined) return;
    const tried = await sendAll(note, message, reached);
    const pruned = await Promise.allSettled(
      tried.gone.map((id) => subscriptions.prune(note.userId, id)),
    );
    // Whether that worked or not: what the push services said is not asked for again.
    await desk.apply([conclude(note, tried, mayText(job))]);
    const failed = pruned.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** The worker that had it in hand died, or could not say what became of it. */
  async function takeBack(note: Note): Promise<void> {
    if (isPoisonous(note)) {
      await options.condemn("push", [note]);
      return;
    }
    // That was a try, so that one which kills workers comes to an end.
    const lost = { askedMs: undefined, workerLost: true, hasNext: false, budgetMs: undefined };
    await desk.apply([retryOrFail(options, note, "push", lost)]);
  }

  async function deliver(job: Job): Promise<void> {
    const { note } = job;
    if (note.channels.push.state === "sending") return await takeBack(note);
    const script = sandboxScript(note.userId)?.push;
    if (script !== undefined) return await deliverSandboxed(job, script);
    const reached = reach(note, await subscriptions.list(note.userId));
    const { open, held: waiting, done, heldUntil } = reached;
    if (open.length + waiting.length + Object.keys(done).length === 0) {
      await desk.apply([desk.closeChannel(note, "push", "skipped", "no_subscription")]);
      return;
    }
    if (open.length === 0 && waiting.length > 0) {
      const until = { ...patienceWith(note, mayText(job)), until: heldUntil };
      await desk.apply([holdOrFail(options, note, "push", until)]);
      return;
    }
    try {
      await deliverTo(reached, job);
    } finally {
      release(reached);
    }
  }

  return {
    async process(items) {
      const jobs = await desk.takeUp("push", items);
      // One that fails for lack of Redis must not hide the others' outcomes.
      const results = await Promise.allSettled(
        jobs.map((job) =>
          // Should it be what kills workers, it does so alone.
          hasWorkersToAnswerFor(job.note) ? oneAtATime(() => deliver(job)) : deliver(job),
        ),
      );
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
