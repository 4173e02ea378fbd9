/** A channel behind its circuit breakers: who wants to send asks for leave first. */
import type { Channel, Outcome } from "../channel.ts";
import type { Verdict } from "./breaker.ts";
import type { Breakers } from "./breakers.ts";

export type Pass<Message> =
  | {
      readonly kind: "admitted";
      /** It finds out whether the provider is back: a failure says nothing against the message. */
      readonly isProbe: boolean;
      /** At most once. */
      send(message: Message): Promise<Outcome>;
      /** For who has leave and does not send after all; after `send` it does nothing. */
      release(): void;
    }
  /** Nothing may be sent there yet; ask again at `until`, epoch ms. */
  | { readonly kind: "held"; readonly until: number };

export interface GuardedChannel<Address, Message> {
  /** Each pass that is given must be used or released. */
  admit(address: Address): Pass<Message>;
}

/**
 * What an outcome says about the provider. An address that is gone and a message that is refused say
 * nothing: a provider that is down may answer so, too, by the machines in front of it.
 */
export function verdictOf(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return { kind: "well" };
    case "retry":
      return {
        kind: outcome.throttled === true ? "throttled" : "unwell",
        askedMs: outcome.afterMs,
      };
    case "unknown":
      return { kind: "unwell" };
    case "gone":
    case "rejected":
    case "opted_out":
      return { kind: "nothing" };
  }
}

/** @param originOf names the provider behind an address; it must not throw */
export function guardChannel<Address, Message>(options: {
  readonly channel: Channel<Address, Message>;
  readonly breakers: Pick<Breakers, "admit" | "report">;
  readonly originOf: (address: Address) => string;
}): GuardedChannel<Address, Message> {
  const { channel, breakers, originOf } = options;
  return {
    admit(address) {
      const origin = originOf(address);
      const admission = breakers.admit(origin);
      if (admission.kind === "held") return admission;
      let isOpen = true;
      const report = (verdict: Verdict): void => {
        if (!isOpen) return;
        isOpen = false;
        breakers.report(origin, admission.period, verdict);
      };
      return {
        kind: "admitted",
        isProbe: admission.isProbe,
        async send(message) {
          try {
            const outcome = await channel.send(address, message);
            report(verdictOf(outcome));
            return outcome;
          } finally {
            // It threw: a bug, which is not the provider's.
            report({ kind: "nothing" });
          }
        },
        release: () => report({ kind: "nothing" }),
      };
    },
  };
}
