/**
 * One-time tickets for WebSockets: browsers can put nothing but an address into the request that opens
 * one, and addresses are logged by whatever stands in between. A ticket is worthless once used.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Caller } from "../contract/caller.ts";
import type { Clock } from "../platform/clock.ts";
import { sha256Hex, type Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";

/** A page opens its socket at once; a slow network needs some of this. */
export const TICKET_TTL_MS = 30_000;
/** As much as a key of AES-256: nobody guesses one. */
const TICKET_BYTES = 32;
const TICKET_PATTERN = /^[A-Za-z0-9_-]{43}$/;

const storedSchema = z.object({
  userId: z.string(),
  /** When the token ends that it was bought with; epoch ms. */
  expiresAt: z.number(),
});

export interface Ticket {
  readonly ticket: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface Tickets {
  issue(caller: Pick<Caller, "userId" | "expiresAt">): Promise<Ticket>;
  /**
   * Whose ticket it is, the first time that is asked; undefined for any other. It opens a socket and
   * nothing else, so it carries no scope, and what it opens ends when the token does.
   */
  redeem(ticket: string): Promise<Caller | undefined>;
}

export function createTickets(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
}): Tickets {
  const { redis, keyspace, clock } = deps;
  // Whoever reads Redis finds no ticket that could be used.
  const keyOf = (ticket: string): string => keyspace.plain(`ticket:${sha256Hex(ticket)}`);

  return {
    async issue({ userId, expiresAt }) {
      const ticket = randomBytes(TICKET_BYTES).toString("base64url");
      const stored: z.infer<typeof storedSchema> = { userId, expiresAt };
      await redis.set(keyOf(ticket), JSON.stringify(stored), "PX", TICKET_TTL_MS);
      return { ticket, expiresAt: Math.min(clock.now() + TICKET_TTL_MS, expiresAt) };
    },
    async redeem(ticket) {
      if (!TICKET_PATTERN.test(ticket)) return undefined;
      const found = await redis.getdel(keyOf(ticket));
      if (found === null) return undefined;
      const stored = storedSchema.parse(JSON.parse(found));
      return stored.expiresAt > clock.now() ? { ...stored, scopes: new Set() } : undefined;
    },
  };
}
