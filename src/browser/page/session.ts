/** Who uses this tab, and the token that proves it. */
import { buyTicket, requestToken, type Result } from "./api.ts";

export interface Session {
  readonly userId: string;
  /** The token in use. */
  token(): string;
  /** A new one; undefined when only the person can give another. Rejects without a network. */
  renew(): Promise<string | undefined>;
}

/** Of this tab alone, so that two tabs can be two people. */
const USER_KEY = "schoolbell.user";

function remember(userId: string | undefined): void {
  try {
    if (userId === undefined) window.sessionStorage.removeItem(USER_KEY);
    else window.sessionStorage.setItem(USER_KEY, userId);
  } catch {
    // Storage may be forbidden; then a reload asks for the name again.
  }
}

/** Who was signed in before the page was reloaded. */
export function rememberedUser(): string | undefined {
  try {
    return window.sessionStorage.getItem(USER_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

export function forgetUser(): void {
  remember(undefined);
}

/** Signs in as a development user. */
export async function signInAs(userId: string): Promise<Result<Session>> {
  const first = await requestToken(userId);
  if (!first.ok) return explain(first);
  remember(userId);
  let current = first.value.token;
  return {
    ok: true,
    value: {
      userId,
      token: () => current,
      async renew() {
        const next = await requestToken(userId);
        if (next.ok) current = next.value.token;
        else if (next.status === 0 || next.status >= 500) throw new Error(next.message);
        return next.ok ? current : undefined;
      },
    },
  };
}

/**
 * A ticket for the socket. `renew`: the last one was refused, which the token behind it may be the
 * reason of. Undefined: the person has to sign in anew; rejects where asking later may help.
 */
export async function getTicket(session: Session, renew: boolean): Promise<string | undefined> {
  const renewed = renew ? await session.renew() : undefined;
  let result = await buyTicket(renewed ?? session.token());
  if (!result.ok && result.status === 401 && renewed === undefined) {
    const next = await session.renew();
    if (next === undefined) return undefined;
    result = await buyTicket(next);
  }
  if (result.ok) return result.value.ticket;
  if (result.status === 401) return undefined;
  throw new Error(result.message);
}

function explain(refusal: Extract<Result<never>, { ok: false }>): Result<Session> {
  if (refusal.status !== 403 && refusal.status !== 404) return refusal;
  return {
    ...refusal,
    message:
      "Signing in by name works only on the machine that runs Schoolbell, and not in production. Use a token instead.",
  };
}

/** Reads whose token this is; whether it is genuine, the server says. */
export function sessionOfToken(token: string): Session | undefined {
  const userId = userOf(token);
  if (userId === undefined) return undefined;
  return { userId, token: () => token, renew: () => Promise.resolve(undefined) };
}

function userOf(token: string): string | undefined {
  const [, payload] = token.split(".");
  if (payload === undefined) return undefined;
  try {
    const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims !== "object" || claims === null) return undefined;
    const named = new Map(Object.entries(claims));
    const user = named.get("sub") ?? named.get("user_id") ?? named.get("teacher_id");
    return typeof user === "string" ? user : undefined;
  } catch {
    return undefined;
  }
}
