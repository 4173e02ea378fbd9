/**
 * Asks the SMS providers in their order until one has taken the message, or may have. The next one is
 * asked only where the one before has surely not taken it, for a fault of its own.
 */
import {
  nextProvider,
  type NextProvider,
  type SmsProvider,
} from "../channels/sms/provider-order.ts";
import type { Outcome, SmsAddress, SmsMessage } from "../channels/channel.ts";
import { smsSize } from "../content/sms-segments.ts";
import type { Note } from "../tracking/note.ts";
import { claim } from "./provider-steps.ts";
import type { ProviderStageOptions } from "./provider-stage.ts";
import type { SmsLookup } from "./sms-lookup.ts";

type Retry = Extract<Outcome, { kind: "retry" }>;

/** What came of a message. `note` is as the last claim left it: what the next change is decided on. */
export type SmsAttempt =
  /** A provider's last word, whichever it was. */
  | { readonly kind: "answered"; readonly note: Note; readonly outcome: Exclude<Outcome, Retry> }
  /** All that were asked surely did not take it. */
  | {
      readonly kind: "refused";
      readonly note: Note;
      /** Every one of them was only asked to find out whether it is back. */
      readonly isProbe: boolean;
      /** Or else is well, and was asked too often. */
      readonly isThrottled: boolean;
      /** When the first of them wants to be asked again, ms from now. */
      readonly askedMs: number | undefined;
    }
  /** None may be asked now. Nothing was sent. */
  | { readonly kind: "held"; readonly note: Note; readonly until: number }
  /** The provider whose turn it is sends at its own speed. Nothing was sent, or surely not taken. */
  | { readonly kind: "waits"; readonly note: Note; readonly until: number }
  /** Another worker has it. Nothing was sent by this one since. */
  | { readonly kind: "lost" };

export interface SmsAttemptsOptions extends ProviderStageOptions {
  readonly providers: readonly SmsProvider[];
  readonly lookup: Pick<SmsLookup, "begin">;
}

type Admitted = Extract<NextProvider, { kind: "admitted" }>;

interface Refusal {
  readonly outcome: Retry;
  readonly isProbe: boolean;
}

/** The first wish counts: whoever it is that may be asked then. */
function earliest(waits: readonly (number | undefined)[]): number | undefined {
  if (waits.length === 0 || waits.includes(undefined)) return undefined;
  return Math.min(...waits.filter((wait) => wait !== undefined));
}

export function createSmsAttempts(options: SmsAttemptsOptions): {
  send(note: Note, address: SmsAddress, message: SmsMessage): Promise<SmsAttempt>;
} {
  const { desk, clock, leaseMs, lookup, providers } = options;

  async function claimFor(note: Note, provider: SmsProvider): Promise<Note | undefined> {
    const change = claim(note, "sms", clock.now(), leaseMs, provider.name);
    const [claimed] = await desk.apply([change]);
    return claimed;
  }

  /** One request, once its provider's line allows it and `sending` is stored. */
  async function ask(
    { provider, pass }: Admitted,
    note: Note,
    { phoneNumber, message }: { readonly phoneNumber: string; readonly message: SmsMessage },
  ): Promise<SmsAttempt | (Refusal & { readonly kind: "next"; readonly note: Note })> {
    const { segments } = smsSize(message.text);
    const isCritical = note.priority === "critical";
    const until = await provider.throughput.take({ noteId: note.id, segments, isCritical });
    if (until !== undefined) return { kind: "waits", note, until };
    const claimed = await claimFor(note, provider);
    if (claimed === undefined) return { kind: "lost" };
    const intent = { provider: provider.name, phoneNumber, message };
    const signed = await lookup.begin(claimed, intent);
    const startedAt = clock.now();
    const outcome = await pass.send(signed);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    desk.report(claimed, "sms", outcome.kind, startedAt, detail, provider.name);
    if (outcome.kind !== "retry") return { kind: "answered", note: claimed, outcome };
    return { kind: "next", note: claimed, outcome, isProbe: pass.isProbe };
  }

  /** No provider is left that may be asked. */
  function conclude(
    note: Note,
    refusals: readonly Refusal[],
    next: Exclude<NextProvider, Admitted>,
  ): SmsAttempt {
    const untilNext = next.kind === "held" ? [next.until - clock.now()] : [];
    if (refusals.length === 0 && next.kind === "held") return { ...next, note };
    return {
      kind: "refused",
      note,
      isProbe: refusals.every(({ isProbe }) => isProbe),
      isThrottled: refusals.every(({ isProbe, outcome }) => isProbe || outcome.throttled === true),
      askedMs: earliest([...refusals.map(({ outcome }) => outcome.afterMs), ...untilNext]),
    };
  }

  return {
    async send(fresh, address, message) {
      let note = fresh;
      const tried: string[] = [];
      const refusals: Refusal[] = [];
      for (;;) {
        const next = nextProvider(providers, tried, address);
        if (next.kind !== "admitted") return conclude(note, refusals, next);
        try {
          const end = await ask(next, note, { ...address, message });
          if (end.kind !== "next") return end;
          note = end.note;
          refusals.push(end);
          tried.push(next.provider.name);
        } finally {
          next.pass.release();
        }
      }
    },
  };
}
