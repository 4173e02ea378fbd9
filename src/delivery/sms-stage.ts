/** The last stage: one SMS, for what is critical or concerns an IEP. Never sent twice. */
import type { Outcome, SmsAddress } from "../channels/channel.ts";
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { SmsCaps, SmsPlace } from "../channels/sms/caps.ts";
import type { SmsProvider } from "../channels/sms/provider-order.ts";
import type { Reason } from "../contract/vocabulary.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import type { Messages } from "./messages.ts";
import { waitTurn } from "./provider-steps.ts";
import {
  holdOrFail,
  phoneNumberOf,
  retryOrFail,
  startOf,
  takeInHand,
  type Patience,
  type ProviderStageOptions,
} from "./provider-stage.ts";
import { createSmsAttempts, type SmsAttempt } from "./sms-attempts.ts";
import type { SmsLookup } from "./sms-lookup.ts";
import type { Job } from "./stage-desk.ts";

export interface SmsStageOptions extends ProviderStageOptions {
  /** In the order in which they are asked. */
  readonly providers: readonly SmsProvider[];
  readonly caps: SmsCaps;
  readonly optOuts: {
    isOptedOut(phoneNumber: string): Promise<boolean>;
    optOut(phoneNumber: string): Promise<void>;
  };
  /** The number as providers want it, or undefined if there can be no such number. */
  readonly toE164: (phoneNumber: string) => string | undefined;
  readonly messages: Pick<Messages, "sms">;
  /** What becomes of one after it was handed over. */
  readonly lookup: SmsLookup;
}

export interface SmsStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
}

type Address = SmsAddress | { readonly missing: Reason };

/** Before a busy provider is asked again that named no pause: half of what was waited, within these. */
const LEAST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Nothing follows an SMS. */
const LAST: Patience = { hasNext: false, budgetMs: undefined };

/** Whether nobody can have been sent it: then it does not count against the caps. */
function isSurelyUnsent(attempt: SmsAttempt): boolean {
  switch (attempt.kind) {
    case "held":
    case "waits":
    case "refused":
      return true;
    case "answered":
      return attempt.outcome.kind !== "delivered" && attempt.outcome.kind !== "unknown";
    case "lost":
      // The worker that has it counts on the same place.
      return false;
  }
}

export function createSmsStage(options: SmsStageOptions): SmsStage {
  const { desk, clock, optOuts, lookup } = options;
  const attempts = createSmsAttempts(options);

  async function addressOf(job: Job): Promise<Address> {
    const stated = phoneNumberOf(job);
    if (stated === undefined) return { missing: "no_phone" };
    const phoneNumber = options.toE164(stated);
    if (phoneNumber === undefined) return { missing: "invalid_phone" };
    if (await optOuts.isOptedOut(phoneNumber)) return { missing: "opted_out" };
    return { phoneNumber };
  }

  function conclude(note: Note, outcome: Outcome): NoteChange {
    switch (outcome.kind) {
      case "delivered":
        return desk.closeChannel(note, "sms", "delivered", null);
      case "rejected":
      case "gone":
        return desk.closeChannel(note, "sms", "failed", "rejected");
      case "opted_out":
        return desk.closeChannel(note, "sms", "skipped", "opted_out");
      case "unknown":
        return lookup.doubt(note);
      case "retry":
        return retryOrFail(options, note, "sms", { ...LAST, askedMs: outcome.afterMs });
    }
  }

  function pauseOf(note: Note): number {
    const waitedMs = clock.now() - startOf(note);
    return Math.min(Math.max(Math.round(waitedMs / 2), LEAST_PAUSE_MS), LONGEST_PAUSE_MS);
  }

  function changeAfter(attempt: Exclude<SmsAttempt, { kind: "lost" }>): NoteChange {
    const { note } = attempt;
    switch (attempt.kind) {
      case "answered":
        return conclude(note, attempt.outcome);
      case "held":
        return holdOrFail(options, note, "sms", { ...LAST, until: attempt.until });
      case "waits":
        return waitTurn(note, attempt.until, clock.now());
      case "refused": {
        const waiting = { ...LAST, askedMs: attempt.askedMs };
        if (attempt.isProbe) {
          return holdOrFail(options, note, "sms", { ...waiting, until: clock.now() });
        }
        // What was not even looked at costs none of its tries, as with a provider that is left alone; of
        // long pauses there are as many as tries.
        const isFree = attempt.isThrottled && (attempt.askedMs ?? 0) <= LONGEST_PAUSE_MS;
        return isFree
          ? holdOrFail(options, note, "sms", { ...waiting, until: clock.now() + pauseOf(note) })
          : retryOrFail(options, note, "sms", waiting);
      }
    }
  }

  async function deliverSandboxed(job: Job, script: Outcome | "no_phone"): Promise<void> {
    if (script === "no_phone") {
      await desk.apply([desk.closeChannel(job.note, "sms", "skipped", "no_phone")]);
      return;
    }
    const note = await takeInHand(options, job.note, "sms");
    if (note === undefined) return;
    desk.report(note, "sms", script.kind, clock.now());
    // There is no provider that could know more.
    const change =
      script.kind === "unknown"
        ? desk.closeChannel(note, "sms", "unknown", "unknown")
        : conclude(note, script);
    await desk.apply([change]);
  }

  /** What an attempt says beyond the note. */
  async function putDown(attempt: SmsAttempt, phoneNumber: string): Promise<void> {
    if (attempt.kind === "answered") {
      const { note, outcome } = attempt;
      // What was known is not put down anew: a START may have come since it was read.
      if (outcome.kind === "opted_out" && outcome.isKnown !== true) {
        await optOuts.optOut(phoneNumber);
      }
      if (outcome.kind === "delivered") await lookup.taken(note, outcome.providerId);
    }
  }

  async function lookFor(job: Job): Promise<void> {
    const stated = phoneNumberOf(job);
    const phoneNumber = stated === undefined ? undefined : options.toE164(stated);
    const change = await lookup.look(job.note, phoneNumber);
    if (change !== undefined) await desk.apply([change]);
  }

  async function deliverTo(job: Job, address: SmsAddress, place: SmsPlace): Promise<void> {
    const message = await desk.compose(job.note, "sms", () =>
      options.messages.sms(job.note, job.preferences, clock.now()),
    );
    if (message === undefined) {
      await place.giveBack();
      return;
    }
    const attempt = await attempts.send(job.note, address, message);
    if (attempt.kind === "lost") return;
    const [noted] = await Promise.allSettled([putDown(attempt, address.phoneNumber)]);
    // Whether that worked or not: what the provider said must not be lost, as it is not asked again.
    const [applied] = await desk.apply([changeAfter(attempt)]);
    // Where the note had moved on another worker has it, and counts on the same place.
    if (applied !== undefined && isSurelyUnsent(attempt)) await place.giveBack();
    if (noted.status === "rejected") throw noted.reason;
  }

  async function deliver(job: Job): Promise<void> {
    const { note } = job;
    if (note.channels.sms.state === "sending") return await lookFor(job);
    const script = sandboxScript(note.userId)?.sms;
    if (script !== undefined) return await deliverSandboxed(job, script);
    const address = await addressOf(job);
    if ("missing" in address) {
      await desk.apply([desk.closeChannel(note, "sms", "skipped", address.missing)]);
      return;
    }
    const place = await options.caps.take({
      noteId: note.id,
      userId: note.userId,
      phoneNumber: address.phoneNumber,
      isCritical: note.priority === "critical",
    });
    if (place === undefined) {
      await desk.apply([desk.closeChannel(note, "sms", "skipped", "flood")]);
      return;
    }
    await deliverTo(job, address, place);
  }

  return {
    async process(items) {
      const jobs = await desk.takeUp("sms", items);
      const results = await Promise.allSettled(jobs.map(deliver));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
