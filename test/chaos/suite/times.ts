/** How long the product waits for things in a run. */

/**
 * The product's own defaults, so that recovery takes as long as it does in earnest. Only an SMS that
 * may have been sent is looked for within a minute instead of an hour.
 */
const OWN = { SMS_LOOKUP_SECONDS: "5,10,20,60" };

/**
 * Short, so that a run is over sooner, and harder: what is stopped for 20 s is behind every lease, lock
 * and session by then.
 */
const SHORT = {
  DUE_LEASE_MS: "3000",
  PROVIDER_TIMEOUT_MS: "1000",
  SMS_LOOKUP_SECONDS: "2,4,8,16",
  DUE_POLL_MS: "100",
  QUEUE_LOCK_MS: "2000",
  QUEUE_STALL_MS: "1000",
  GATEWAY_ANSWER_MS: "500",
  ACK_WAIT_MS: "1000",
  CRITICAL_PUSH_BUDGET_MS: "3000",
  PRESENCE_INTERVAL_MS: "2000",
  HEARTBEAT_INTERVAL_MS: "2000",
  HEARTBEAT_TIMEOUT_MS: "6000",
  KAFKA_SESSION_TIMEOUT_MS: "6000",
};

export const TIMES = { own: OWN, short: SHORT } as const;
export type TimesName = keyof typeof TIMES;
