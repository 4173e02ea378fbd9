/** What the SMS channel takes from the configuration: its providers in order, the outbox, or nothing. */
import { ConfigError } from "../../platform/config.ts";
import type { Config } from "../../platform/config-schema.ts";
import { callbackBase } from "./callback-address.ts";

export type SmsSender =
  | { readonly from: string }
  /** Twilio chooses the number; the service also keeps its own opt-outs. */
  | { readonly messagingServiceSid: string };

export interface TwilioSettings {
  readonly kind: "twilio";
  readonly accountSid: string;
  readonly authToken: string;
  readonly sender: SmsSender;
  /** Requests go here instead of Twilio's own host. */
  readonly apiUrl?: string;
  readonly timeoutMs: number;
  /** Where Twilio reaches this service; undefined where it cannot. */
  readonly callbackBase?: string;
}

/** A gateway that speaks the protocol of docs/SMS.md. */
export interface WebhookSettings {
  readonly kind: "webhook";
  readonly url: string;
  /** While they are changed there are several: all sign, any is accepted. */
  readonly secrets: readonly string[];
  /** A number or a name. */
  readonly sender?: string;
  readonly timeoutMs: number;
  /** Where it reaches this service; undefined where it cannot. */
  readonly callbackBase?: string;
}

export type SmsProviderSettings = TwilioSettings | WebhookSettings;

export type SmsSettings =
  /** At least one, in the order in which they are asked. */
  | { readonly kind: "providers"; readonly providers: readonly SmsProviderSettings[] }
  /** Development without credentials: messages are shown, not sent. */
  | { readonly kind: "outbox" }
  /** Production without credentials: messages kept and never sent would be a lie. */
  | { readonly kind: "disabled" };

/** @throws ConfigError where Twilio's credentials are there but unusable. */
export function readSmsSettings(config: Config): SmsSettings {
  const configured = [readTwilio(config), readWebhook(config)].filter(
    (settings) => settings !== undefined,
  );
  if (configured.length === 0) {
    return { kind: config.NODE_ENV === "production" ? "disabled" : "outbox" };
  }
  const order = config.SMS_PROVIDERS ?? configured.map(({ kind }) => kind);
  return {
    kind: "providers",
    // What it names is configured: the configuration was checked for that.
    providers: order.flatMap((name) => configured.filter(({ kind }) => kind === name)),
  };
}

function readTwilio(config: Config): TwilioSettings | undefined {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = config;
  if (accountSid === undefined || authToken === undefined) return undefined;
  if (!accountSid.startsWith("AC")) throw new ConfigError("TWILIO_ACCOUNT_SID begins with AC");
  const callback = callbackBase(config);
  return {
    kind: "twilio",
    accountSid,
    authToken,
    sender: readSender(config),
    ...(config.TWILIO_API_URL === undefined ? {} : { apiUrl: config.TWILIO_API_URL }),
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
    ...(callback === undefined ? {} : { callbackBase: callback }),
  };
}

/** A messaging service wins over a number: it was made to choose among numbers. */
function readSender(config: Config): SmsSender {
  if (config.TWILIO_MESSAGING_SERVICE_SID !== undefined) {
    return { messagingServiceSid: config.TWILIO_MESSAGING_SERVICE_SID };
  }
  if (config.TWILIO_FROM_NUMBER !== undefined) return { from: config.TWILIO_FROM_NUMBER };
  throw new ConfigError("Twilio needs TWILIO_FROM_NUMBER or TWILIO_MESSAGING_SERVICE_SID");
}

function readWebhook(config: Config): WebhookSettings | undefined {
  const { SMS_WEBHOOK_URL: url, SMS_WEBHOOK_SECRET: secrets, SMS_WEBHOOK_SENDER: sender } = config;
  if (url === undefined || secrets === undefined) return undefined;
  const callback = callbackBase(config);
  return {
    kind: "webhook",
    url,
    secrets,
    ...(sender === undefined ? {} : { sender }),
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
    ...(callback === undefined ? {} : { callbackBase: callback }),
  };
}
