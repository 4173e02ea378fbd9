/** `POST /webhooks/sms/status`: a gateway says what became of a message that it took. */
import { z } from "zod";
import { describedAs } from "../../http/openapi.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import type { Clock } from "../../platform/clock.ts";
import { Problem } from "../../platform/problems.ts";
import { readJsonText } from "../../platform/json-text.ts";
import { checkSignature, SIGNATURE_HEADER } from "./webhook-signature.ts";

export const WEBHOOK_STATUS_PATH = "/webhooks/sms/status";

const BODY_LIMIT_BYTES = 8_192;

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
    .describe("why it failed, in a word"),
});

/** What a gateway said of one message. */
export interface GatewayReport {
  readonly noteId: string;
  readonly providerId: string | undefined;
  readonly status: z.infer<typeof statusSchema>["status"];
  readonly error: string | undefined;
}

const EXAMPLE = {
  message_id: "03c2a1de-5b7f-8a21-9d33-0a4f6c1e7b90",
  provider_id: "gw-4711",
  status: "delivered",
} satisfies z.input<typeof statusSchema>;

const headers = z.object({
  [SIGNATURE_HEADER]: z
    .string()
    .describe("`t=<epoch seconds>,v1=<hex HMAC-SHA256 of t, a dot and the body>`"),
});

function parse(text: string): GatewayReport {
  const reading = readJsonText(text);
  if (reading.kind !== "value") throw new Problem("invalid_json", "The body is not valid JSON.");
  const { data, error } = statusSchema.safeParse(reading.value);
  if (data === undefined) {
    throw new Problem("invalid_request", "The body is not a report on a message.", {
      errors: error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
    });
  }
  return {
    noteId: data.message_id,
    providerId: data.provider_id,
    status: data.status,
    error: data.error,
  };
}

export function webhookStatusRoutes(options: {
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, "now">;
  /** It may hear the same twice, late and out of order. */
  readonly onReport: (report: GatewayReport) => Promise<void>;
}): Route[] {
  const { secrets, clock, onReport } = options;
  return [
    publicRoute({
      method: "post",
      path: WEBHOOK_STATUS_PATH,
      summary: "What became of an SMS, said by the gateway that took it",
      tag: "SMS",
      rateLimit: "default",
      headers,
      bodyType: "signed_json",
      bodyLimitBytes: BODY_LIMIT_BYTES,
      body: describedAs(statusSchema, "Signed as the messages to the gateway are."),
      example: EXAMPLE,
      responses: { 204: { description: "Taken; the same may be said again" } },
      problems: ["forbidden", "invalid_json", "invalid_request"],
      async handle({ body, context }) {
        const text = z.string().parse(body);
        const message = { header: context.header(SIGNATURE_HEADER), body: text };
        if (checkSignature(secrets, message, clock.now()) !== "valid") {
          throw new Problem("forbidden", "The signature is missing, wrong or too old.");
        }
        await onReport(parse(text));
        return { status: 204 };
      },
    }),
  ];
}
