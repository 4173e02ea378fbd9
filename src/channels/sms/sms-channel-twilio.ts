/** SMS through Twilio's Programmable Messaging. */
import twilio from "twilio";
import type { Clock } from "../../platform/clock.ts";
import type { SmsChannel } from "../channel.ts";
import { outcomeOfTwilioFailure } from "./errors.ts";
import type { TwilioSettings } from "./settings.ts";
import { TwilioRequestClient } from "./twilio-request-client.ts";

/** What Twilio accepts as a validity period. */
const MIN_VALIDITY_SECONDS = 1;
const MAX_VALIDITY_SECONDS = 36_000;

export interface TwilioSmsChannelOptions {
  readonly settings: Omit<TwilioSettings, "kind">;
  readonly clock: Pick<Clock, "now" | "after">;
}

/** One request per message, never repeated here: retrying is decided where the note is known. */
export function createTwilioSmsChannel(
  options: TwilioSmsChannelOptions,
): SmsChannel & { close(): Promise<void> } {
  const { settings, clock } = options;
  const httpClient = new TwilioRequestClient({
    apiUrl: settings.apiUrl,
    timeoutMs: settings.timeoutMs,
    clock,
  });
  const client = twilio(settings.accountSid, settings.authToken, { httpClient });

  return {
    async send(address, message) {
      try {
        const created = await client.messages.create({
          ...settings.sender,
          to: address.phoneNumber,
          body: message.text,
          ...(message.validitySeconds === undefined
            ? {}
            : { validityPeriod: validityPeriod(message.validitySeconds) }),
        });
        // Absent when the answer's body was cut off after its head had said 201.
        const sid: unknown = created.sid;
        return typeof sid === "string"
          ? { kind: "delivered", providerId: sid }
          : { kind: "delivered" };
      } catch (error) {
        return outcomeOfTwilioFailure(error, clock.now());
      }
    },
    close: async () => await httpClient.close(),
  };
}

function validityPeriod(seconds: number): number {
  return Math.min(Math.max(MIN_VALIDITY_SECONDS, Math.floor(seconds)), MAX_VALIDITY_SECONDS);
}
