/** The last stage: one SMS, for what is critical or concerns an IEP. Never sent twice. */
import type { GuardedChannel, Pass } from "../channels/breaker/guarded-channel.ts";
import type { Outcome, SmsAddress, SmsMessage } from "../channels/channel.ts";
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { Reason } from "../contract/vocabulary.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import type { Messages } from "./messages.ts";
import type { SmsLookup } from "./sms-lookup.ts";
import {
  holdOrFail,
  phoneNumberOf,
  retryOrFail,
  takeInHand,
  type Patience,
  type ProviderStageOptions,
} from "./provider-stage.ts";
import type { Job } from "./stage-desk.ts";

export interface SmsStageOptions extends ProviderStageOptions {
  readonly channel: GuardedChannel<SmsAddress, SmsMessage>;
  readonly optOuts: {
    isOptedOut(phoneNumber: string): Promise<boolean>;
    optOut(phoneNumber: string): Promise<void>;
  };
  /** The number as providers want it, or undefined if there can be no such number. */
  readonly toE164: (phoneNumber: string) => string | undefined;
  readonly messages: Pick<Messages, "sms">;
  /** What becomes of one after it was handed over. */
  readonly lookup: SmsLookup;
  /** Whom it is handed over to. */
  readonly provider: string;
}

export interface SmsStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
}

type Address = SmsAddress | { readonly missing: Reason };

/** Nothing follows an SMS. */
const LAST: Patience = { hasNext: false, budgetMs: undefined };

type Admitted = Extract<Pass<SmsMessage>, { kind: "admitted" }>;

export function createSmsStage(options: SmsStageOptions): SmsStage {
  const { desk, clock, optOuts, lookup } = options;

  async function addressOf(job: Job): Promise<Address> {
    const stated = phoneNumberOf(job);
    if (stated === undefined) return { missing: "no_phone" };
    const phoneNumber = options.toE164(stated);
    if (phoneNumber === undefined) return { missing: "invalid_phone" };
    if (await optOuts.isOptedOut(phoneNumber)) return { missing: "opted_out" };
    return { phoneNumber };
  }

  function conclude(note: Note, outcome: Outcome, isProbe: boolean): NoteChange {
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
      case "retry": {
        const waiting = { ...LAST, askedMs: outcome.afterMs };
        return isProbe
          ? holdOrFail(options, note, "sms", { ...waiting, until: clock.now() })
          : retryOrFail(options, note, "sms", waiting);
      }
    }
  }

  async function send(note: Note, message: SmsMessage, pass: Admitted): Promise<Outcome> {
    const startedAt = clock.now();
    const outcome = await pass.send(message);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    desk.report(note, "sms", outcome.kind, startedAt, detail);
    return outcome;
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
        : conclude(note, script, false);
    await desk.apply([change]);
  }

  /** What an answer says beyond the note. */
  async function putDown(note: Note, outcome: Outcome, phoneNumber: string): Promise<void> {
    if (outcome.kind === "opted_out") await optOuts.optOut(phoneNumber);
    if (outcome.kind === "delivered") await lookup.taken(note, outcome.providerId);
  }

  async function lookFor(job: Job): Promise<void> {
    const stated = phoneNumberOf(job);
    const phoneNumber = stated === undefined ? undefined : options.toE164(stated);
    const change = await lookup.look(job.note, phoneNumber);
    if (change !== undefined) await desk.apply([change]);
  }

  async function deliverWith(pass: Admitted, job: Job, phoneNumber: string): Promise<void> {
    const note = await takeInHand(options, job.note, "sms");
    if (note === undefined) return;
    const message = await desk.compose(note, "sms", () =>
      options.messages.sms(note, job.preferences, clock.now()),
    );
    if (message === undefined) return;
    const { provider } = options;
    const signed = await lookup.begin(note, { provider, phoneNumber, message });
    const outcome = await send(note, signed, pass);
    const [noted] = await Promise.allSettled([putDown(note, outcome, phoneNumber)]);
    // Whether that worked or not: what the provider said must not be lost, as it is not asked again.
    await desk.apply([conclude(note, outcome, pass.isProbe)]);
    if (noted.status === "rejected") throw noted.reason;
  }

  async function deliver(job: Job): Promise<void> {
    if (job.note.channels.sms.state === "sending") return await lookFor(job);
    const script = sandboxScript(job.note.userId)?.sms;
    if (script !== undefined) return await deliverSandboxed(job, script);
    const address = await addressOf(job);
    if ("missing" in address) {
      await desk.apply([desk.closeChannel(job.note, "sms", "skipped", address.missing)]);
      return;
    }
    // Before the note is claimed: an SMS that was begun is never begun again.
    const pass = options.channel.admit(address);
    if (pass.kind === "held") {
      await desk.apply([holdOrFail(options, job.note, "sms", { ...LAST, until: pass.until })]);
      return;
    }
    try {
      await deliverWith(pass, job, address.phoneNumber);
    } finally {
      pass.release();
    }
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
