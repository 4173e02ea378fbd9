/** Reads the request that opens a socket: which path, who, and what it wants replayed. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Caller } from "../contract/caller.ts";
import { replayIdSchema } from "../contract/frames.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { Problem } from "../platform/problems.ts";
import { isRedisUnavailable } from "../platform/redis-failure.ts";
import type { CloseKind, CloseReason } from "./close-codes.ts";
import type { AskedReplay } from "./join.ts";

const PATHS: ReadonlySet<string> = new Set(["/ws/notify", "/ws/v1/notifications"]);

const MAX_EPOCH_LENGTH = 64;

/** By which a socket is opened. */
export type Credential = { readonly ticket: string } | { readonly token: string | undefined };

export interface SocketRequest {
  readonly credential: Credential;
  readonly replay: AskedReplay;
  readonly acknowledges: boolean;
}

/** Returns undefined if the path is none of the gateway's. */
export function readSocketRequest(request: IncomingMessage): SocketRequest | undefined {
  const target = URL.parse(request.url ?? "", "http://gateway.invalid");
  if (target === null || !PATHS.has(target.pathname)) return undefined;
  const query = target.searchParams;
  const ticket = query.get("ticket");
  return {
    credential:
      ticket === null
        ? { token: query.get("token") ?? bearerOf(request.headers.authorization) }
        : { ticket },
    replay: readReplay(query.get("replay_from"), query.get("epoch")),
    acknowledges: query.get("ack") === "1",
  };
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
}

/** An empty value is what a client sends that has nothing to say yet. */
function readReplay(from: string | null, epoch: string | null): AskedReplay {
  if (from === null || from === "") return { kind: "pending" };
  const id = replayIdSchema.safeParse(from);
  if (!id.success) return undefined;
  // A longer text is no epoch of ours; what is left of it will not match one either.
  const known = epoch === null || epoch === "" ? undefined : epoch.slice(0, MAX_EPOCH_LENGTH);
  return { kind: "after", id: Number(id.data), epoch: known };
}

/**
 * The address that a request came from: each of `trustedProxies` appended to `X-Forwarded-For` the
 * one it saw, and what stands before those is the client's own word.
 */
export function addressOf(request: IncomingMessage, trustedProxies: number): string {
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
  const named = forwarded.map((address) => address.trim()).filter((address) => address !== "");
  const path = [...named, request.socket.remoteAddress ?? ""];
  return path[Math.max(0, path.length - 1 - trustedProxies)] ?? "";
}

/** Browsers always send an origin; a client without one is held back by its token alone. */
export function isOriginAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin === undefined || allowed.length === 0 || allowed.includes(origin);
}

export interface Refusal {
  readonly kind: CloseKind;
  readonly reason: CloseReason;
}

export interface Doorkeeper {
  /** @throws Problem that says what is wrong with it. */
  readonly verify: (token: string) => Promise<Caller>;
  /** Whose one-time ticket it is; from then on nobody's. */
  readonly redeem: (ticket: string) => Promise<Caller | undefined>;
}

/** Who opens the socket, or how it is to be closed. Never rejects. */
export async function authenticate(
  { verify, redeem }: Doorkeeper,
  credential: Credential,
): Promise<Caller | Refusal> {
  const unauthorized: Refusal = { kind: "unauthorized", reason: "unauthorized" };
  try {
    const caller =
      "ticket" in credential
        ? await redeem(credential.ticket)
        : credential.token === undefined
          ? undefined
          : await verify(credential.token);
    if (caller === undefined) return unauthorized;
    return userIdSchema.safeParse(caller.userId).success ? caller : unauthorized;
  } catch (error) {
    // The token may be good: a client told otherwise would throw it away.
    const later =
      isRedisUnavailable(error) || (error instanceof Problem && error.code === "unavailable");
    return later ? { kind: "try_later", reason: "not ready" } : unauthorized;
  }
}

/** Answers an upgrade request over plain HTTP and hangs up. */
export function refuseUpgrade(socket: Duplex, status: "403 Forbidden" | "404 Not Found"): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
