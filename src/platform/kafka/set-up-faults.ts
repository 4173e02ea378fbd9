/** Tells faults of the set-up, which a person has to mend, from what passes by itself. */

/** Errors of the client by their names. */
const CLIENT_FAULTS: ReadonlySet<string> = new Set([
  // Wrong credentials, or a mechanism that the broker does not offer.
  "KafkaJSSASLAuthenticationError",
  // A broker that speaks no version of a request that the client knows.
  "KafkaJSServerDoesNotSupportApiKey",
  // Something of the protocol that the client lacks altogether.
  "KafkaJSNotImplemented",
]);

/** Answers of the broker by the names that Kafka's protocol gives them. */
const BROKER_FAULTS: ReadonlySet<unknown> = new Set([
  // Who we are.
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE",
  "SECURITY_DISABLED",
  // What we may do.
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  // What we ask for: names and times of the configuration, or a group that others use otherwise.
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_GROUP_ID",
  "INVALID_SESSION_TIMEOUT",
  "INCONSISTENT_GROUP_PROTOCOL",
  "UNSUPPORTED_VERSION",
]);

/** It may still hold its partitions, and only the end of the process surely frees them. */
export class MembershipStuck extends Error {
  override readonly name = "MembershipStuck";
}

/**
 * Whether another try would soon meet the same. The client's own mark is no guide: it calls final
 * what is only late, such as a lock that was not given in time, or a coordinator that is not found
 * while brokers start.
 */
export function isFatal(error: Error): boolean {
  const origin = originOf(error);
  if (origin instanceof MembershipStuck || CLIENT_FAULTS.has(origin.name)) return true;
  return "type" in origin && BROKER_FAULTS.has(origin.type);
}

/** What is behind an error of the client's, which wraps one into another. */
export function originOf(error: Error): Error {
  return error.cause instanceof Error ? originOf(error.cause) : error;
}
