/** The last stage: one SMS, for what is critical or concerns an IEP. Never sent twice. */
import type { Outcome, SmsChannel, SmsMessage } from "../channels/channel.ts";
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { Reason } from "../contract/vocabulary.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import type { Messages } from "./messages.ts";
import { retryOrFail, takeInHand, type ProviderStageOptions } from "./provider-stage.ts";
import type { Job } from "./stage-desk.ts";

export interface SmsStageOptions extends ProviderStageOptions {
  readonly channel: SmsChannel;
  readonly optOuts: {
    isOptedOut(phoneNumber: string): Promise<boolean>;
    optOut(phoneNumber: string): Promise<void>;
  };
  /** The number as providers want it, or undefined if there can be no such number. */
  readonly toE164: (phoneNumber: string) => string | undefined;
  readonly messages: Pick<Messages, "sms">;
}

export interface SmsStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
}

type Address = { readonly phoneNumber: string } | { readonly missing: Reason };

export function createSmsStage(options: SmsStageOptions): SmsStage {
  const { desk, clock, optOuts } = options;

  async function addressOf({ note, preferences }: Job): Promise<Address> {
    const stated = note.request?.phone_number ?? preferences.phone_number;
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
        return desk.closeChannel(note, "sms", "unknown", "unknown");
      case "retry":
        return retryOrFail(options, note, "sms", {
          askedMs: outcome.afterMs,
          budgetMs: undefined,
        });
    }
  }

  async function send(note: Note, message: SmsMessage, phoneNumber: string): Promise<Outcome> {
    const startedAt = clock.now();
    const outcome = await options.channel.send({ phoneNumber }, message);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    desk.report(note, "sms", outcome.kind, startedAt, detail);
    if (outcome.kind === "opted_out") await optOuts.optOut(phoneNumber);
    return outcome;
  }

  async function deliver(job: Job): Promise<void> {
    const script = sandboxScript(job.note.userId)?.sms;
    const address: Address =
      script === undefined
        ? await addressOf(job)
        : script === "no_phone"
          ? { missing: "no_phone" }
          : { phoneNumber: "" };
    if ("missing" in address) {
      await desk.apply([desk.closeChannel(job.note, "sms", "skipped", address.missing)]);
      return;
    }
    const note = await takeInHand(options, job.note, "sms");
    if (note === undefined) return;
    if (script !== undefined && script !== "no_phone") {
      desk.report(note, "sms", script.kind, clock.now());
      await desk.apply([conclude(note, script)]);
      return;
    }
    const message = await desk.compose(note, "sms", () =>
      options.messages.sms(note, job.preferences, clock.now()),
    );
    if (message === undefined) return;
    await desk.apply([conclude(note, await send(note, message, address.phoneNumber))]);
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
