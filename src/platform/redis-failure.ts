/** Tells "Redis cannot take this now" from a bug, so that the one is a 503 and the other a 500. */

/** What ioredis says without a class or code of its own. */
const MESSAGES: ReadonlySet<string> = new Set([
  "Cluster is ended.",
  "Cluster isn't ready and enableOfflineQueue options is false",
  "Connection is closed.",
  "Command timed out",
  "None of startup nodes is available",
  "Stream isn't writeable and enableOfflineQueue options is false",
]);

const ERROR_NAMES: ReadonlySet<string> = new Set([
  "AbortError",
  "ClusterAllFailedError",
  "MaxRetriesPerRequestError",
]);

/** A cluster whose nodes point at each other, while one takes over from another. */
const REDIRECTIONS_PATTERN = /^Too many Cluster redirections\b/;

const SOCKET_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * The first word of a reply from a server that is starting, full, failing over or read-only; scripts
 * pass it on in front of their own message.
 */
const REPLY_PATTERN =
  /^(?:LOADING|BUSY|OOM|MISCONF|READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|MOVED|UNKILLABLE)\b/;

/** What a command, and what a script, is answered for a key that has left, or was never there. */
const BEING_MOVED_PATTERN =
  /^ASK\b|\bScript attempted to access a non local key in a cluster node\b/;

/** True while a slot moves from one node of a cluster to another, key by key. */
export function isBeingMoved(error: unknown): boolean {
  return (
    error instanceof Error && error.name === "ReplyError" && BEING_MOVED_PATTERN.test(error.message)
  );
}

/** True when trying again later can help: no connection, no answer in time, or a server that refuses writes. */
export function isRedisUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (MESSAGES.has(error.message) || ERROR_NAMES.has(error.name)) return true;
  if (REDIRECTIONS_PATTERN.test(error.message)) return true;
  if ("code" in error && typeof error.code === "string" && SOCKET_CODES.has(error.code))
    return true;
  if (isBeingMoved(error)) return true;
  return error.name === "ReplyError" && REPLY_PATTERN.test(error.message);
}
