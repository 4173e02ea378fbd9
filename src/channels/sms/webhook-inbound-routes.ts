/** `POST /webhooks/sms/inbound`: a gateway hands over what people answer to text messages. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import { validate } from "../../http/validate.ts";
import type { Clock } from "../../platform/clock.ts";
import { readJsonText } from "../../platform/json-text.ts";
import { Problem } from "../../platform/problems.ts";
import type { TakeInbound } from "./inbound.ts";
import { keywordOf, type Keyword } from "./keywords.ts";
import { toE164 } from "./phone-number.ts";
import { checkSignature, SIGNATURE_HEADER } from "./webhook-signature.ts";

const WEBHOOK_INBOUND_PATH = "/webhooks/sms/inbound";
const BODY_LIMIT_BYTES = 16 * 1_024;

const inboundSchema = z.object({
  message_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "must be 1 to 128 printable characters")
    .describe("the gateway's id of this answer: one that comes again changes nothing"),
  from: z.string().min(1).max(64).describe("who sent it, in E.164"),
  text: z.string().max(4_096).describe("the whole of it"),
  keyword: z
    .enum(["stop", "start", "help"])
    .optional()
    .describe("what the gateway took it for and has answered itself; default: the text decides"),
});

const EXAMPLE = {
  message_id: "gw-in-4711",
  from: "+46701234567",
  text: "STOP",
} satisfies z.input<typeof inboundSchema>;

export interface WebhookInboundOptions {
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, "now">;
  readonly take: TakeInbound;
  /** What the sender of a keyword is told. */
  readonly replyTo: (keyword: Keyword) => string | undefined;
}

/** A keyword has to be put down for somebody: a STOP that is answered with 200 is taken for done. */
const usableSchema = inboundSchema.refine(
  ({ keyword, text, from }) =>
    (keyword ?? keywordOf(text)) === undefined || toE164(from) !== undefined,
  { path: ["from"], message: "must be a number in E.164, such as +46701234567" },
);

function parse(text: string): z.infer<typeof inboundSchema> {
  const reading = readJsonText(text);
  if (reading.kind !== "value") throw new Problem("invalid_json", "The body is not valid JSON.");
  validate(usableSchema, reading.value, "body");
  return inboundSchema.parse(reading.value);
}

export function webhookInboundRoutes(options: WebhookInboundOptions): Route[] {
  const { secrets, clock, take, replyTo } = options;
  return [
    publicRoute({
      method: "post",
      path: WEBHOOK_INBOUND_PATH,
      tag: "SMS",
      summary: "A gateway: somebody answered a text message (STOP, START, HELP)",
      // As with Twilio: a STOP that is refused for its number might not come again.
      rateLimit: "none",
      bodyLimitBytes: BODY_LIMIT_BYTES,
      bodyType: "signed_json",
      headers: z.object({
        [SIGNATURE_HEADER]: z
          .string()
          .describe("`t=<epoch seconds>,v1=<hex HMAC-SHA256 of t, a dot and the body>`"),
      }),
      body: describedAs(inboundSchema, "Signed as the messages to the gateway are."),
      example: EXAMPLE,
      responses: {
        200: {
          description: "Taken",
          schema: z.object({
            reply: z.string().optional().describe("what to answer to the sender; absent: nothing"),
          }),
        },
      },
      problems: ["forbidden", "invalid_json", "invalid_request"],
      async handle({ body, context }) {
        const text = z.string().parse(body);
        const signed = { header: context.header(SIGNATURE_HEADER), body: text };
        if (checkSignature(secrets, signed, clock.now()) !== "valid") {
          throw new Problem("forbidden", "The signature is missing, wrong or too old.");
        }
        const message = parse(text);
        const keyword = await take({
          provider: "webhook",
          messageId: message.message_id,
          from: message.from,
          text: message.text,
          keyword: message.keyword,
        });
        const asked = keyword === undefined || message.keyword !== undefined;
        const reply = asked ? undefined : replyTo(keyword);
        return { status: 200, body: reply === undefined ? {} : { reply } };
      },
    }),
  ];
}
