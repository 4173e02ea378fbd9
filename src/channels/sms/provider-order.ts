/** The SMS providers in the order in which they are asked. Which is asked next is decided here. */
import type { GuardedChannel, Pass } from "../breaker/guarded-channel.ts";
import type { FindSms, SmsAddress, SmsMessage } from "../channel.ts";
import type { SmsThroughput } from "./throughput.ts";

export interface SmsProvider {
  /** As settings, log lines and timelines call it. */
  readonly name: string;
  readonly channel: GuardedChannel<SmsAddress, SmsMessage>;
  readonly throughput: SmsThroughput;
  /** How it is asked what it took; undefined for one that cannot be asked. */
  readonly find?: FindSms | undefined;
}

export type NextProvider =
  /** The pass must be used or released. */
  | {
      readonly kind: "admitted";
      readonly provider: SmsProvider;
      readonly pass: Extract<Pass<SmsMessage>, { kind: "admitted" }>;
    }
  /** All that are left fail, or asked for a pause; one may be asked at `until`, epoch ms. */
  | { readonly kind: "held"; readonly until: number }
  /** None is left. */
  | { readonly kind: "none" };

/**
 * The first provider that may be asked. As soon as the breaker of an earlier one lets a request pass,
 * that one is asked again.
 * @param tried names of those that have refused this message just now
 */
export function nextProvider(
  providers: readonly SmsProvider[],
  tried: readonly string[],
  address: SmsAddress,
): NextProvider {
  let until: number | undefined;
  for (const provider of providers) {
    if (tried.includes(provider.name)) continue;
    const pass = provider.channel.admit(address);
    if (pass.kind === "admitted") return { kind: "admitted", provider, pass };
    until = Math.min(until ?? pass.until, pass.until);
  }
  return until === undefined ? { kind: "none" } : { kind: "held", until };
}
