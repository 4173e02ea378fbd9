/**
 * Sends bulk requests as fast as what was sent before is done: a bounded number of notifications is
 * between their request and their acknowledgement at any moment.
 */
import type { Sent } from "./judgement.ts";
import { bulkItemText, createKeys, createShuffle } from "./load.ts";
import { createPostClient } from "./post-client.ts";

/** The most that one request may hold. */
export const ITEMS_EACH = 1_000;
const REQUESTS_AT_ONCE = 4;
const ACCEPTED = 202;

interface BulkAnswer {
  readonly results: readonly { readonly index: number; readonly notification_id?: string }[];
}

export interface BulkSender {
  readonly sent: readonly Sent[];
  /** Keeps the pipe full from now on. */
  start(): void;
  /** Sends this many in all and no more. @returns when all are answered */
  sendOnly(count: number): Promise<void>;
  /** Something was acknowledged: there may be room for more. */
  pump(): void;
  /** Sends no more. @returns when all are answered */
  stop(): Promise<void>;
  close(): void;
}

export function createBulkSender(options: {
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
  /** Where its notifications are noted; shared by all that send to the same sockets. */
  readonly sent?: Sent[];
  /** Notifications between their request and their end, at most. */
  readonly inFlight: number;
  /** How many have come to their end so far. */
  readonly done: () => number;
}): BulkSender {
  const { users, inFlight, done, sent = [] } = options;
  const client = createPostClient({ ...options, connections: REQUESTS_AT_ONCE });
  const nextUser = createShuffle(users.length);
  const keyOf = createKeys();
  const requests = new Set<Promise<void>>();
  let until = 0;
  let refused = 0;

  function pump(): void {
    while (
      sent.length < until &&
      requests.size < REQUESTS_AT_ONCE &&
      sent.length - refused - done() + ITEMS_EACH <= inFlight
    ) {
      const request = post(Math.min(ITEMS_EACH, until - sent.length)).then(() => {
        requests.delete(request);
        pump();
      });
      requests.add(request);
    }
  }

  async function post(count: number): Promise<void> {
    const first = sent.length;
    const nowMs = performance.now();
    const items: string[] = [];
    for (let index = first; index < first + count; index += 1) {
      const user = nextUser();
      items.push(bulkItemText(users[user] ?? "", index, keyOf(index)));
      sent.push({
        user,
        intendedMs: nowMs,
        sentMs: nowMs,
        answeredMs: Number.NaN,
        notificationId: undefined,
        refusal: undefined,
      });
    }
    const mine = sent.slice(first, first + count);
    const refuse = (reason: string): void => {
      for (const entry of mine) {
        if (entry.notificationId !== undefined) continue;
        entry.refusal = reason;
        refused += 1;
      }
    };
    try {
      const { status, body } = await client.post(
        "/notify/bulk",
        "",
        `{"notifications":[${items.join(",")}]}`,
      );
      const answeredMs = performance.now();
      for (const entry of mine) entry.answeredMs = answeredMs;
      if (status === ACCEPTED) {
        // Checking each of a thousand results costs 5 us; a wrong one would show as astray or lost.
        for (const result of (JSON.parse(body) as BulkAnswer).results) {
          const entry = mine[result.index];
          if (entry !== undefined) entry.notificationId = result.notification_id;
        }
      }
      refuse(status === ACCEPTED ? "refused within its request" : `answered ${status}`);
    } catch (error) {
      refuse(error instanceof Error ? error.message : String(error));
    }
  }

  async function answered(): Promise<void> {
    while (requests.size > 0) await Promise.all(requests);
  }

  return {
    sent,
    pump,
    start() {
      until = Number.POSITIVE_INFINITY;
      pump();
    },
    async sendOnly(count) {
      until = sent.length + count;
      // Beyond what may be in flight it is `pump` that goes on.
      pump();
      while (sent.length < until) {
        await answered();
        await new Promise((resolve) => setTimeout(resolve, 1));
        pump();
      }
      await answered();
    },
    async stop() {
      until = sent.length;
      await answered();
    },
    close: () => client.close(),
  };
}
