/** Fills the product by bulk requests: every user in turn, so that each gets as many. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Sent } from "./judgement.ts";
import { bulkItemText, createKeys } from "./load.ts";
import { createPostClient } from "./post-client.ts";

/** The most that one request may hold. */
const ITEMS_EACH = 1_000;
const REQUESTS_AT_ONCE = 2;
const ACCEPTED = 202;
const UNAVAILABLE = 503;
const RETRY_MS = 1_000;
const MAX_ATTEMPTS = 10;

const answerSchema = z.object({
  results: z.array(z.object({ index: z.number(), notification_id: z.string() })),
});

/**
 * @param options.count in all. The index of each counts on from that of the first, `from`.
 * @param options.fields more of each item, as JSON: `"priority":"low"`
 * @returns when all are accepted. @throws if any is refused: nothing could be measured then
 */
export async function fillByBulk(options: {
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
  readonly count: number;
  readonly from?: number;
  readonly fields: string;
}): Promise<Sent[]> {
  const { users, count, from = 0, fields } = options;
  const client = createPostClient({ ...options, connections: REQUESTS_AT_ONCE });
  const keyOf = createKeys();
  const sent: Sent[] = [];

  /** What a caller is asked to do on 503: the same again, with the same keys. */
  async function insist(body: string) {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await client.post("/notify/bulk", "", body);
      if (answer.status === ACCEPTED) return answer;
      if (answer.status !== UNAVAILABLE || attempt === MAX_ATTEMPTS) {
        throw new Error(`bulk was answered with ${answer.status}`);
      }
      await delay(RETRY_MS);
    }
  }

  async function post(first: number): Promise<void> {
    const nowMs = performance.now();
    const items: string[] = [];
    const places = Math.min(ITEMS_EACH, count - first);
    for (let at = first; at < first + places; at += 1) {
      const user = at % users.length;
      items.push(`{${fields},${bulkItemText(users[user] ?? "", from + at, keyOf(at)).slice(1)}`);
      sent[at] = {
        user,
        intendedMs: nowMs,
        sentMs: nowMs,
        answeredMs: Number.NaN,
        notificationId: undefined,
        refusal: undefined,
      };
    }
    const body = `{"notifications":[${items.join(",")}]}`;
    const answer = await insist(body);
    const answeredMs = performance.now();
    for (const result of answerSchema.parse(JSON.parse(answer.body)).results) {
      const entry = sent[first + result.index];
      if (entry === undefined) continue;
      entry.notificationId = result.notification_id;
      entry.answeredMs = answeredMs;
    }
  }

  let next = 0;
  async function work(): Promise<void> {
    while (next < count) {
      const first = next;
      next += ITEMS_EACH;
      await post(first);
    }
  }
  try {
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work));
  } finally {
    client.close();
  }
  return sent;
}
