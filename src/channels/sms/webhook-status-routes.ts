/** `POST /webhooks/sms/status`: a gateway says what became of a message that it took. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import type { Clock } from "../../platform/clock.ts";
import { issuesOf } from "../../platform/problem-issues.ts";
import { Problem } from "../../platform/problems.ts";
import { readJsonText } from "../../platform/json-text.ts";
import type { CarrierReport } from "../channel.ts";
import { WEBHOOK_STATUS_PATH } from "./callback-address.ts";
import type { CallbackTokens, SmsReference } from "./callback-token.ts";
import { hasFailed } from "./carrier-status.ts";
import { checkSignature, SIGNATURE_HEADER } from "./webhook-signature.ts";

const BODY_LIMIT_BYTES = 8_192;
const OPTED_OUT = "opted_out";

const statusSchema = z.object({
  message_id: z.string().min(1).max(64).describe("as it stood in the message"),
  provider_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 printable characters")
    .optional()
    .describe("the gateway's own id"),
  status: z
    .enum(["queued", "sent", "delivered", "undelivered", "failed"])
    .describe("the last three are final"),
  error: z
    .string()
    .regex(/^[a-z][a-z_]{0,39}$/, "must be a word of lower-case letters and underscores")
    .optional()
    .describe("why it failed, in a word; `opted_out` where the person asked for no more"),
  to: z
    .string()
    .max(16)
    .optional()
    .describe("the number, required with `opted_out`: nothing is sent to it from then on"),
});

type Said = z.infer<typeof statusSchema>;

const EXAMPLE = {
  message_id: "03c2a1de-5b7f-8a21-9d33-0a4f6c1e7b90",
  provider_id: "gw-4711",
  status: "delivered",
} satisfies z.input<typeof statusSchema>;

const query = z.object({
  sms: z.string().max(128).default("").describe("as it stood in `callback_url`"),
});
const headers = z.object({
  [SIGNATURE_HEADER]: z
    .string()
    .describe("`t=<epoch seconds>,v1=<hex HMAC-SHA256 of t, a dot and the body>`"),
});

function parse(text: string): Said {
  const reading = readJsonText(text);
  if (reading.kind !== "value") throw new Problem("invalid_json", "The body is not valid JSON.");
  const { data, error } = statusSchema.safeParse(reading.value);
  if (data !== undefined) return data;
  throw new Problem("invalid_request", "The body is not a report on a message.", {
    errors: issuesOf(error),
  });
}

function reportOf({ status, provider_id: messageId, error }: Said): CarrierReport {
  if (!hasFailed(status)) return { status, messageId };
  return { status, messageId, fault: error ?? status, optedOut: error === OPTED_OUT };
}

/** Only a digest of the number is kept here; an opt-out that nothing is put down of must not look taken. */
function whoseOptOut(): Problem {
  const message = "with opted_out, must be the number in E.164, such as +46701234567";
  return new Problem("invalid_request", `to in the body: ${message}`, {
    errors: [{ path: "to", message }],
  });
}

export interface WebhookStatusOptions {
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, "now">;
  readonly tokens: Pick<CallbackTokens, "read">;
  readonly reports: {
    receive(reference: SmsReference, report: CarrierReport): Promise<void>;
    isOver(reference: SmsReference): Promise<boolean>;
  };
  readonly optOuts: { optOut(phoneNumber: string): Promise<void> };
  readonly toE164: (phoneNumber: string) => string | undefined;
}

export function webhookStatusRoutes(options: WebhookStatusOptions): Route[] {
  const { secrets, clock, tokens, reports, optOuts, toE164 } = options;

  async function take(reference: SmsReference, said: Said): Promise<void> {
    const report = reportOf(said);
    const phoneNumber = said.to === undefined ? undefined : toE164(said.to);
    if (report.optedOut === true) {
      if (phoneNumber === undefined) throw whoseOptOut();
      // Said again, it must not undo a START that came in between.
      if (!(await reports.isOver(reference))) await optOuts.optOut(phoneNumber);
    }
    await reports.receive(reference, report);
  }

  return [
    publicRoute({
      method: "post",
      path: WEBHOOK_STATUS_PATH,
      summary: "What became of an SMS, said by the gateway that took it",
      tag: "SMS",
      rateLimit: "default",
      query,
      headers,
      bodyType: "signed_json",
      bodyLimitBytes: BODY_LIMIT_BYTES,
      body: describedAs(statusSchema, "Signed as the messages to the gateway are."),
      example: EXAMPLE,
      responses: { 204: { description: "Taken; the same may be said again" } },
      problems: ["forbidden", "invalid_json", "invalid_request"],
      async handle({ query: { sms }, body, context }) {
        const text = z.string().parse(body);
        const message = { header: context.header(SIGNATURE_HEADER), body: text };
        if (checkSignature(secrets, message, clock.now()) !== "valid") {
          throw new Problem("forbidden", "The signature is missing, wrong or too old.");
        }
        const said = parse(text);
        const reference = tokens.read(sms);
        if (reference?.noteId !== said.message_id) {
          throw new Problem("forbidden", "The address is not the one that this message came with.");
        }
        await take(reference, said);
        return { status: 204 };
      },
    }),
  ];
}
