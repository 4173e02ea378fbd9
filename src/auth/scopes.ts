/** What a caller may do, by the scopes of the token. A scope grants what it names and nothing more. */
import type { Caller } from "../contract/caller.ts";
import type { Family } from "../contract/vocabulary.ts";

type Scoped = Pick<Caller, "scopes">;

const SEND = "notify:send";

/** Needed beside the right to send when a request raises its priority to critical. */
const SEND_CRITICAL = "notify:send:critical";

export const ADMIN = "admin";

/** The route-level list for sending: whoever holds one of them may try; the family decides the rest. */
export const SEND_SCOPES: readonly string[] = [
  SEND,
  "notify:send:teacher",
  "notify:send:domain",
  "notify:send:iep",
  "notify:send:general",
] satisfies readonly (typeof SEND | `${typeof SEND}:${Family}`)[];

/** Every scope that grants something. */
export const KNOWN_SCOPES: readonly string[] = [
  ...SEND_SCOPES,
  SEND_CRITICAL,
  "analytics:read",
  ADMIN,
];

/** True when the caller holds any one of `scopes`; an empty list asks for nothing. */
export function allows(caller: Scoped, ...scopes: readonly string[]): boolean {
  return scopes.length === 0 || scopes.some((scope) => caller.scopes.has(scope));
}

/** `notify:send` covers every family, `notify:send:<family>` one. */
export function canNotify(caller: Scoped, family: Family): boolean {
  return allows(caller, SEND, `${SEND}:${family}`);
}

/** Whether the caller may raise a request above its template to critical, which unlocks SMS. */
export function canRaiseToCritical(caller: Scoped): boolean {
  return allows(caller, SEND_CRITICAL);
}

export function isAdmin(caller: Scoped): boolean {
  return allows(caller, ADMIN);
}
