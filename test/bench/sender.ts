/**
 * Sends at a fixed rate whatever the answers do: a slow server does not slow the load down, and a
 * time is counted from when a request was due, not from when it got out.
 */
import { randomUUID } from "node:crypto";
import { Pool } from "undici";
import { z } from "zod";
import { CORRELATION_PREFIX } from "./audience.ts";
import type { Sent } from "./judgement.ts";

/** Kept open and reused; enough that no request waits for another's answer at 1,000/s and 100 ms. */
const CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 15_000;
/** Between asking for a load and its first request. */
const LEAD_MS = 20;

const acceptedSchema = z.object({ notification_id: z.string() });

export interface Sender {
  /** All requests so far; the place of one is in its correlation id. */
  readonly sent: readonly Sent[];
  /** Resolves when all of this load are answered or given up. */
  send(load: { readonly rate: number; readonly seconds: number }): Promise<void>;
  close(): Promise<void>;
}

export function createSender(options: {
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
}): Sender {
  const pool = new Pool(options.url, {
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
  const sent: Sent[] = [];
  const nextUser = createShuffle(options.users.length);
  const fixedHeaders = {
    authorization: `Bearer ${options.token}`,
    "content-type": "application/json",
  };

  async function post(intendedMs: number): Promise<void> {
    const user = nextUser();
    const index = sent.length;
    const entry: Sent = {
      user,
      intendedMs,
      sentMs: performance.now(),
      answeredMs: Number.NaN,
      notificationId: undefined,
      refusal: undefined,
    };
    sent.push(entry);
    try {
      const answer = await pool.request({
        method: "POST",
        path: "/notify",
        headers: { ...fixedHeaders, "idempotency-key": randomUUID() },
        body: bodyFor(options.users[user] ?? "", index),
      });
      const text = await answer.body.text();
      entry.answeredMs = performance.now();
      if (answer.statusCode === 202) {
        entry.notificationId = acceptedSchema.parse(JSON.parse(text)).notification_id;
      } else entry.refusal = `answered ${answer.statusCode}`;
    } catch (error) {
      entry.refusal = error instanceof Error ? error.message : String(error);
    }
  }

  return {
    sent,
    async send({ rate, seconds }) {
      const total = Math.round(rate * seconds);
      const startMs = performance.now() + LEAD_MS;
      const dueMs = (turn: number): number => startMs + (turn * 1_000) / rate;
      const answers: Promise<void>[] = [];
      while (answers.length < total) {
        const waitMs = dueMs(answers.length) - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        while (answers.length < total && dueMs(answers.length) <= performance.now()) {
          answers.push(post(dueMs(answers.length)));
        }
      }
      await Promise.all(answers);
    },
    close: () => pool.destroy(),
  };
}

/** Put together from text: only the user and the number differ from one request to the next. */
function bodyFor(user: string, index: number): string {
  return (
    '{"template_id":"announcement","data":{"title":"Room change for the next lesson",' +
    '"body":"Mathematics 7B meets in room 214 today. Please bring the blue workbook."},' +
    `"user_id":"${user}","correlation_id":"${CORRELATION_PREFIX}${index}"}`
  );
}

/** Users in an order that looks random and is the same in every run. */
function createShuffle(size: number): () => number {
  // A linear congruential generator with the constants of Numerical Recipes.
  let state = 20_260_801;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * size);
  };
}
