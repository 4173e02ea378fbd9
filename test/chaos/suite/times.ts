/** How long the product waits for things in a run. */

/** The product's own defaults. Nothing is set, so that recovery takes as long as it does in earnest. */
const OWN = {};

/**
 * Short, so that a run is over sooner, and harder: what is stopped for 20 s is behind every lease, lock
 * and session by then.
 */
const SHORT = {
  DUE_LEASE_MS: "3000",
  PROVIDER_TIMEOUT_MS: "1000",
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
