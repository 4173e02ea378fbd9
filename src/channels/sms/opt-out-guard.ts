/** Looks, as the last thing before an SMS is handed to whichever provider, whether its owner said STOP. */
import { isRedisUnavailable } from "../../platform/redis-failure.ts";
import type { GuardedChannel } from "../breaker/guarded-channel.ts";
import type { Outcome, SmsAddress, SmsMessage } from "../channel.ts";
import type { OptOuts } from "./opt-outs.ts";

/**
 * A message may have been in hand for a while when it is sent: it waited for its turn, another provider
 * was tried before. That a STOP came meanwhile is an answer like a provider's own, which says nothing
 * about the provider. Where it cannot be found out nothing is sent: that can be tried again.
 */
export function guardOptOuts(
  channel: GuardedChannel<SmsAddress, SmsMessage>,
  optOuts: Pick<OptOuts, "isOptedOut">,
): GuardedChannel<SmsAddress, SmsMessage> {
  /** The reason not to send; undefined: there is none. */
  async function objection({ phoneNumber }: SmsAddress): Promise<Outcome | undefined> {
    try {
      return (await optOuts.isOptedOut(phoneNumber))
        ? { kind: "opted_out", isKnown: true }
        : undefined;
    } catch (error) {
      if (!isRedisUnavailable(error)) throw error;
      return { kind: "retry", detail: "opt-outs cannot be read" };
    }
  }

  return {
    admit(address) {
      const pass = channel.admit(address);
      if (pass.kind === "held") return pass;
      return {
        ...pass,
        async send(message) {
          const reason = await objection(address);
          if (reason === undefined) return await pass.send(message);
          pass.release();
          return reason;
        },
      };
    },
  };
}
