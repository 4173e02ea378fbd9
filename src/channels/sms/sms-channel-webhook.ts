/** SMS through a gateway that speaks the protocol of docs/SMS.md: a school's own, a local aggregator. */
import { Agent, request, type Dispatcher } from "undici";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { Outcome, SmsAddress, SmsChannel, SmsMessage } from "../channel.ts";
import { withDeadline } from "../deadline.ts";
import { webhookStatusPath } from "./callback-address.ts";
import { markingConnector } from "./marking-connector.ts";
import type { WebhookSettings } from "./settings.ts";
import { outcomeOfGatewayFailure, outcomeOfGatewayRefusal } from "./webhook-errors.ts";
import { SIGNATURE_HEADER, signBody } from "./webhook-signature.ts";

/** An id is asked for, and a word where it refuses. */
const MAX_ANSWER_BYTES = 16_384;
/** The rest of the time is for the answer; connecting must fail first, as that may be retried. */
const CONNECT_SHARE = 0.5;

/** Long enough for anybody's id; printable, since it is logged and listed. */
const acceptedSchema = z.object({ provider_id: z.string().regex(/^[\x21-\x7e]{1,128}$/) });

export interface WebhookSmsChannelOptions {
  readonly settings: Omit<WebhookSettings, "kind">;
  readonly clock: Pick<Clock, "now" | "after">;
}

/** One request per message, never repeated here: retrying is decided where the note is known. */
export function createWebhookSmsChannel(
  options: WebhookSmsChannelOptions,
): SmsChannel & { close(): Promise<void> } {
  const { settings, clock } = options;
  const { url, secrets, sender, timeoutMs, callbackBase } = settings;
  // No connection is kept: one that is closed as it is used again would leave an SMS `unknown`.
  const agent = new Agent({ connect: markingConnector(timeoutMs * CONNECT_SHARE), pipelining: 0 });

  function bodyOf({ phoneNumber }: SmsAddress, message: SmsMessage): string {
    const { callbackToken: token } = message;
    const isReachable = callbackBase !== undefined && token !== undefined;
    return JSON.stringify({
      message_id: message.noteId,
      to: phoneNumber,
      text: message.text,
      sender,
      validity_seconds:
        message.validitySeconds === undefined ? undefined : Math.floor(message.validitySeconds),
      callback_url: isReachable ? callbackBase + webhookStatusPath(token) : undefined,
    });
  }

  async function post(body: string, noteId: string): Promise<Outcome> {
    return await withDeadline(clock, timeoutMs, async (signal) => {
      const answer = await request(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "idempotency-key": noteId,
          [SIGNATURE_HEADER]: signBody(secrets, body, clock.now()),
        },
        body,
        dispatcher: agent,
        signal,
      });
      const { statusCode: status } = answer;
      const said = await readJson(answer.body);
      if (status >= 200 && status < 300) {
        const providerId = acceptedSchema.safeParse(said).data?.provider_id;
        return providerId === undefined ? { kind: "delivered" } : { kind: "delivered", providerId };
      }
      const [retryAfter] = [answer.headers["retry-after"]].flat();
      return outcomeOfGatewayRefusal({ status, body: said, retryAfter }, clock.now());
    });
  }

  return {
    async send(address, message) {
      try {
        return await post(bodyOf(address, message), message.noteId);
      } catch (error) {
        return outcomeOfGatewayFailure(error);
      }
    },
    close: async () => await agent.close(),
  };
}

/** `{}` for what is no JSON, too long or cut short: the status alone has already decided. */
async function readJson(body: Dispatcher.ResponseData["body"]): Promise<unknown> {
  try {
    let text = "";
    for await (const chunk of body.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length > MAX_ANSWER_BYTES) return {};
    }
    return JSON.parse(text);
  } catch {
    return {};
  }
}
