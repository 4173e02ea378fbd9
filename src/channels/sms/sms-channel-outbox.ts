/** SMS without a provider: the message is put where a developer sees it. */
import type { Clock } from "../../platform/clock.ts";
import type { SmsChannel } from "../channel.ts";
import type { OutboxMessage } from "./outbox.ts";

export interface OutboxSmsChannelOptions {
  readonly outbox: { add(message: OutboxMessage): Promise<void> };
  readonly clock: Pick<Clock, "now">;
}

/** `send` rejects only if the outbox cannot be written to, which is broken infrastructure. */
export function createOutboxSmsChannel({ outbox, clock }: OutboxSmsChannelOptions): SmsChannel {
  return {
    async send({ phoneNumber }, { noteId, text }) {
      await outbox.add({ noteId, phoneNumber, text, at: clock.now() });
      return { kind: "delivered", providerId: `outbox-${noteId}` };
    },
  };
}
