/** Where Twilio says what became of an SMS. */
import { z } from "zod";
import { TWILIO_STATUS_PATH, twilioStatusPath } from "../channels/sms/callback-address.ts";
import type { CallbackTokens } from "../channels/sms/callback-token.ts";
import { readTwilioStatus } from "../channels/sms/carrier-status.ts";
import type { TwilioSignature } from "../channels/sms/twilio-signature.ts";
import { formSchema, type Form } from "../http/form-body.ts";
import { publicRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import type { SmsReports } from "./sms-reports.ts";

/** What Twilio sends is below 2 KB. */
const MAX_FORM_BYTES = 16_384;

const reportSchema = z.object({
  MessageStatus: z.string().max(32),
  MessageSid: z.string().max(64),
  ErrorCode: z.string().max(16).optional(),
  To: z.string().max(32).optional(),
});

export interface CarrierRoutesOptions {
  readonly signature: TwilioSignature;
  readonly tokens: Pick<CallbackTokens, "read">;
  readonly reports: SmsReports;
  readonly optOuts: { optOut(phoneNumber: string): Promise<void> };
  readonly toE164: (phoneNumber: string) => string | undefined;
}

export function carrierRoutes(options: CarrierRoutesOptions): Route[] {
  const { signature, tokens, reports, optOuts, toE164 } = options;

  /** @throws Problem `forbidden` for all that Twilio did not send, whatever is wrong with it. */
  function assertTwilio(token: string, form: Form, given: string | undefined): void {
    if (signature.isRight(twilioStatusPath(token), form, given)) return;
    throw new Problem("forbidden", signature.refusal(TWILIO_STATUS_PATH));
  }

  return [
    publicRoute({
      method: "post",
      path: TWILIO_STATUS_PATH,
      tag: "SMS",
      summary: "Twilio says what became of an SMS",
      // What is refused for its number would be lost: Twilio does not come back with it.
      rateLimit: "none",
      bodyType: "form",
      bodyLimitBytes: MAX_FORM_BYTES,
      query: z.object({
        sms: z.string().max(128).default("").describe("which SMS; signed by this service"),
      }),
      body: formSchema,
      headers: z.object({
        "X-Twilio-Signature": z.string().describe("over the address and all fields"),
      }),
      responses: { 204: { description: "Taken; also what says nothing new" } },
      problems: ["forbidden", "invalid_request"],
      async handle({ query, body, context }) {
        assertTwilio(query.sms, body, context.header("x-twilio-signature"));
        const reference = tokens.read(query.sms);
        const { data } = reportSchema.safeParse(body);
        const report =
          data && readTwilioStatus(data.MessageStatus, data.ErrorCode, data.MessageSid);
        // Twilio sent it: of a message that is not ours, or of a status to come. It need not be told.
        if (reference === undefined || report === undefined) return { status: 204 };
        const phoneNumber = data?.To === undefined ? undefined : toE164(data.To);
        // Said again, it must not undo a START that came in between.
        const isStop = report.optedOut === true && !(await reports.isOver(reference));
        if (isStop && phoneNumber !== undefined) await optOuts.optOut(phoneNumber);
        await reports.receive(reference, report);
        return { status: 204 };
      },
    }),
  ];
}
