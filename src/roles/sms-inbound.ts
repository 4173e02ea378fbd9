/** What people answer to text messages, as their providers hand it over. */
import { callbackBase } from "../channels/sms/callback-address.ts";
import { createInbound } from "../channels/sms/inbound.ts";
import { twilioInboundRoutes } from "../channels/sms/inbound-routes.ts";
import { createOptOuts } from "../channels/sms/opt-outs.ts";
import { createTwilioSignature, type TwilioSignature } from "../channels/sms/twilio-signature.ts";
import { webhookInboundRoutes } from "../channels/sms/webhook-inbound-routes.ts";
import { createReplies } from "../content/replies.ts";
import type { Route } from "../http/route.ts";
import type { ContentParts } from "./content-parts.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";

/** Enough to tell numbers apart in the audit trail, which is no list of them. */
const NUMBER_DIGEST_CHARACTERS = 16;

/** Routes of the providers that are set up here; the others could not sign what they hand over. */
export function createSmsInboundRoutes(deps: {
  readonly foundation: Foundation;
  readonly parts: Pick<DeliveryParts, "audit">;
  readonly content: Pick<ContentParts, "locales">;
  /** How the outside reaches this service, where nothing else is said of callbacks. */
  readonly publicUrl: () => string;
}): Route[] {
  const { foundation, parts, content, publicUrl } = deps;
  const { config, redis, keyspace, clock, logger, sealing } = foundation;
  const { TWILIO_AUTH_TOKEN: authToken, SMS_WEBHOOK_SECRET: secrets } = config;
  const replyTo = createReplies(content.locales, config.DEFAULT_LOCALE);
  const take = createInbound({
    redis,
    keyspace,
    clock,
    logger,
    optOuts: createOptOuts({ redis, keyspace, sealing, clock }),
    onChoice: ({ provider, keyword, phoneNumber }) =>
      parts.audit.add({
        action: keyword === "stop" ? "sms_opted_out" : "sms_opted_in",
        caller: provider,
        number: sealing.digest(phoneNumber).slice(0, NUMBER_DIGEST_CHARACTERS),
      }),
  });
  // The address is known once this process listens.
  const now = (token: string): TwilioSignature =>
    createTwilioSignature({ authToken: token, base: callbackBase(config) ?? publicUrl() });
  const signature = (token: string): TwilioSignature => ({
    isRight: (path, form, given) => now(token).isRight(path, form, given),
    refusal: (path) => now(token).refusal(path),
  });
  const twilioReplies = config.TWILIO_KEYWORD_REPLIES === "on";
  return [
    ...(authToken === undefined || config.TWILIO_ACCOUNT_SID === undefined
      ? []
      : twilioInboundRoutes({
          take,
          signature: signature(authToken),
          replyTo: (keyword) => (twilioReplies ? replyTo(keyword) : undefined),
        })),
    ...(secrets === undefined ? [] : webhookInboundRoutes({ take, secrets, clock, replyTo })),
  ];
}
