/** Gives up browsers that nobody opens any more, and tells their people before. */
import {
  createSubscriptionExpiry,
  type DeviceWarning,
} from "../channels/push/subscription-expiry.ts";
import type { LifeTimes } from "../channels/push/subscription-life.ts";
import { createSubscriptionRecords } from "../channels/push/subscription-records.ts";
import type { Caller } from "../contract/caller.ts";
import { notificationRequestSchema } from "../contract/notification-request.ts";
import type { Accept } from "../ingest/accept.ts";
import type { Config } from "../platform/config-schema.ts";
import type { Foundation } from "./foundation.ts";

const DAY_MS = 86_400_000;

/** Who says so: ourselves. */
const OURS: Caller = {
  userId: "push-devices",
  scopes: new Set(["notify:send"]),
  expiresAt: Number.POSITIVE_INFINITY,
};

export function deviceLife(
  config: Pick<Config, "PUSH_STALE_DAYS" | "PUSH_STALE_WARNING_DAYS">,
): LifeTimes {
  return {
    staleMs: config.PUSH_STALE_DAYS * DAY_MS,
    warningMs: config.PUSH_STALE_WARNING_DAYS * DAY_MS,
  };
}

/** A notification like any other; its event id keeps it to one, whoever tries how often. */
function submissionOf({ userId, label, lastSeenAt, expiresAt, key }: DeviceWarning) {
  const request = notificationRequestSchema.parse({
    user_id: userId,
    template_id: "push_device_expiring",
    event_id: key,
    data: {
      ...(label === undefined ? {} : { device: label }),
      last_seen_date: new Date(lastSeenAt).toISOString(),
      expires_date: new Date(expiresAt).toISOString(),
    },
  });
  return { request, idempotencyKey: undefined };
}

/** Begins to look after what needs attention; ends with the process. */
export function watchDevices(deps: {
  readonly foundation: Foundation;
  readonly accept: Accept;
}): void {
  const { config, redis, keyspace, sealing, clock, logger, resources } = deps.foundation;
  const expiry = createSubscriptionExpiry({
    records: createSubscriptionRecords({ redis, keyspace, sealing }),
    keyspace,
    clock,
    logger,
    life: deviceLife(config),
    async warn(warning) {
      const [result] = await deps.accept([submissionOf(warning)], OURS);
      // An installation's own templates may lack this one; the browser ends all the same.
      if (result?.kind === "refused") {
        logger.warn({ code: result.problem.code }, "push.device_not_warned");
      }
    },
  });
  resources.add("push devices", () => expiry.close());
  expiry.start();
}
