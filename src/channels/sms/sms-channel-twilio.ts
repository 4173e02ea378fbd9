/** SMS through Twilio's Programmable Messaging. */
import twilio from "twilio";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { FindSms, FoundSms, SmsChannel } from "../channel.ts";
import { twilioStatusPath } from "./callback-address.ts";
import { readTwilioStatus } from "./carrier-status.ts";
import { outcomeOfTwilioFailure } from "./errors.ts";
import type { TwilioSettings } from "./settings.ts";
import { TwilioRequestClient } from "./twilio-request-client.ts";

/** What Twilio accepts as a validity period. */
const MIN_VALIDITY_SECONDS = 1;
const MAX_VALIDITY_SECONDS = 36_000;
/** The newest come first: more than a phone gets until it is looked for the last time. */
const MAX_FOUND = 50;

export interface TwilioSmsChannelOptions {
  readonly settings: Omit<TwilioSettings, "kind">;
  readonly clock: Pick<Clock, "now" | "after">;
}

/** A channel that can also be asked what was taken. */
export interface TwilioSmsChannel extends SmsChannel {
  readonly find: FindSms;
  close(): Promise<void>;
}

/** The fields of a message that are looked at; the SDK takes absent ones. */
const listedSchema = z.object({
  sid: z.string(),
  body: z.string(),
  status: z.string(),
  errorCode: z.number().nullish(),
  dateCreated: z.date(),
  direction: z.string().nullish(),
  from: z.string().nullish(),
  messagingServiceSid: z.string().nullish(),
});

/** One request per message, never repeated here: retrying is decided where the note is known. */
export function createTwilioSmsChannel(options: TwilioSmsChannelOptions): TwilioSmsChannel {
  const { settings, clock } = options;
  const { sender, callbackBase } = settings;
  const httpClient = new TwilioRequestClient({
    apiUrl: settings.apiUrl,
    timeoutMs: settings.timeoutMs,
    clock,
  });
  const client = twilio(settings.accountSid, settings.authToken, { httpClient });

  /** The message, if it is one of this service's that can be told anything of. */
  function foundIn(listed: unknown): FoundSms | undefined {
    const { data } = listedSchema.safeParse(listed);
    if (data === undefined || data.direction?.startsWith("outbound") === false) return undefined;
    const isOurs =
      "from" in sender
        ? data.from === sender.from
        : data.messagingServiceSid === sender.messagingServiceSid;
    const { sid, body, status, errorCode, dateCreated } = data;
    const report = readTwilioStatus(status, errorCode?.toString(), sid);
    if (!isOurs || report === undefined) return undefined;
    return { messageId: sid, text: body, takenAt: dateCreated.getTime(), report };
  }

  return {
    async send(address, message) {
      const { validitySeconds, callbackToken } = message;
      try {
        const created = await client.messages.create({
          ...sender,
          to: address.phoneNumber,
          body: message.text,
          ...(validitySeconds === undefined
            ? {}
            : { validityPeriod: validityPeriod(validitySeconds) }),
          ...(callbackBase === undefined || callbackToken === undefined
            ? {}
            : { statusCallback: callbackBase + twilioStatusPath(callbackToken) }),
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

    async find({ phoneNumber, from, until }) {
      // Not by the date of sending: what waits in Twilio's queue, for hours perhaps, has none yet.
      const listed = await client.messages.list({
        to: phoneNumber,
        pageSize: MAX_FOUND,
        limit: MAX_FOUND,
      });
      return listed
        .map(foundIn)
        .filter((found) => found !== undefined)
        .filter(({ takenAt }) => takenAt >= from && takenAt <= until);
    },

    close: async () => await httpClient.close(),
  };
}

function validityPeriod(seconds: number): number {
  return Math.min(Math.max(MIN_VALIDITY_SECONDS, Math.floor(seconds)), MAX_VALIDITY_SECONDS);
}
