/** `POST /webhooks/twilio/inbound`: Twilio hands over what people answer. */
import { z } from "zod";
import { formSchema } from "../../http/form-body.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import { validate } from "../../http/validate.ts";
import { Problem } from "../../platform/problems.ts";
import { TWILIO_INBOUND_PATH } from "./callback-address.ts";
import type { TakeInbound } from "./inbound.ts";
import type { Keyword } from "./keywords.ts";
import { twiml, TWIML_TYPE } from "./twiml.ts";
import type { TwilioSignature } from "./twilio-signature.ts";

/** A long message with all that Twilio says about it has some 4 KB. */
const BODY_LIMIT_BYTES = 16 * 1_024;

/** What Twilio says of a keyword that it answered itself: Advanced Opt-Out of a messaging service. */
const OPT_OUT_TYPES: ReadonlyMap<string, Keyword> = new Map([
  ["STOP", "stop"],
  ["START", "start"],
  ["HELP", "help"],
]);

const messageSchema = z.object({
  MessageSid: z.string().min(1).max(64),
  From: z.string().min(1).max(64),
  Body: z.string().default(""),
  OptOutType: z.string().optional(),
});

export interface InboundRoutesOptions {
  readonly signature: TwilioSignature;
  readonly take: TakeInbound;
  /** What the sender of a keyword is told; undefined: nothing, as Twilio says it already. */
  readonly replyTo: (keyword: Keyword) => string | undefined;
}

export function twilioInboundRoutes({ signature, take, replyTo }: InboundRoutesOptions): Route[] {
  return [
    publicRoute({
      method: "post",
      path: TWILIO_INBOUND_PATH,
      tag: "SMS",
      summary: "Twilio: somebody answered a text message (STOP, START, HELP)",
      // A STOP that is refused for its number would be lost: Twilio does not come back with it.
      rateLimit: "none",
      bodyLimitBytes: BODY_LIMIT_BYTES,
      bodyType: "form",
      body: formSchema.meta({
        description: "the fields that Twilio sends, `X-Twilio-Signature` over all",
      }),
      headers: z.object({
        "X-Twilio-Signature": z
          .string()
          .describe("HMAC-SHA1 of the address and all fields with the account's secret, in base64"),
      }),
      example: {
        MessageSid: "SM0123456789abcdef0123456789abcdef",
        From: "+46701234567",
        Body: "STOP",
      },
      responses: { 200: { description: "TwiML: what to answer" } },
      problems: ["forbidden"],
      async handle({ body, context }) {
        if (!signature.isRight(TWILIO_INBOUND_PATH, body, context.header("x-twilio-signature"))) {
          throw new Problem("forbidden", signature.refusal(TWILIO_INBOUND_PATH));
        }
        validate(messageSchema, body, "body");
        const message = messageSchema.parse(body);
        const told = OPT_OUT_TYPES.get(message.OptOutType ?? "");
        const keyword = await take({
          provider: "twilio",
          messageId: message.MessageSid,
          from: message.From,
          text: message.Body,
          keyword: told,
        });
        const reply = keyword === undefined || told !== undefined ? undefined : replyTo(keyword);
        return { status: 200, body: twiml(reply), type: TWIML_TYPE };
      },
    }),
  ];
}
