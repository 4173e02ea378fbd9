/** Where SMS providers call back: an address that is signed over, so both sides must have the same one. */
import type { Config } from "../../platform/config-schema.ts";

export const TWILIO_STATUS_PATH = "/webhooks/twilio/status";
export const TWILIO_INBOUND_PATH = "/webhooks/twilio/inbound";
export const WEBHOOK_STATUS_PATH = "/webhooks/sms/status";

/** As Twilio is given it, and as it signs it. */
export function twilioStatusPath(token: string): string {
  return `${TWILIO_STATUS_PATH}?sms=${token}`;
}

/** As a gateway is given it. */
export function webhookStatusPath(token: string): string {
  return `${WEBHOOK_STATUS_PATH}?sms=${token}`;
}

/**
 * Without a slash at the end. Undefined where providers cannot reach this service: an address that
 * Twilio cannot use makes it refuse the message.
 */
export function callbackBase(
  config: Pick<Config, "CALLBACK_URL" | "PUBLIC_URL">,
): string | undefined {
  const { CALLBACK_URL: stated, PUBLIC_URL: site } = config;
  const base = stated ?? (site?.startsWith("https:") === true ? site : undefined);
  return base?.replace(/\/+$/, "");
}
