/** The settings of the process that is killed: short times, so that what it left behind is due soon. */
import { makeVapidPair } from "../../src/platform/key-material.ts";
import type { PushService } from "../support/push-service.ts";
import type { Corner } from "../support/redis.ts";
import type { TwilioService } from "../support/twilio.ts";

export const CHILD_SECRET = "a-secret-for-killed-processes-long-enough-for-hs256";

const SHORT_TIMES = {
  DUE_LEASE_MS: "800",
  PROVIDER_TIMEOUT_MS: "700",
  SMS_LOOKUP_SECONDS: "1,2",
  DUE_POLL_MS: "50",
  QUEUE_LOCK_MS: "1000",
  QUEUE_STALL_MS: "300",
  GATEWAY_ANSWER_MS: "300",
  ACK_WAIT_MS: "500",
  CRITICAL_PUSH_BUDGET_MS: "2000",
};

export function childEnvironment(parts: {
  readonly store: Corner;
  readonly push: PushService;
  readonly twilio: TwilioService;
  readonly dataDir: string;
}): Record<string, string> {
  const { store, push, twilio, dataDir } = parts;
  const vapid = makeVapidPair();
  return {
    ...SHORT_TIMES,
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    ROLES: "all",
    LOG_LEVEL: "warn",
    RATE_LIMITS: "off",
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    DATA_DIR: dataDir,
    JWT_SECRET_KEY: CHILD_SECRET,
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    PUSH_ALLOWED_HOSTS: push.origin,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_FROM_NUMBER: "+15005550006",
    TWILIO_API_URL: twilio.url,
  };
}
