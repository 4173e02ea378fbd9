/**
 * Sends at a fixed rate whatever the answers do: a slow server does not slow the load down, and a
 * time is counted from when a request was due, not from when it got out.
 */
import { z } from "zod";
import type { Sent } from "./judgement.ts";
import { createKeys, createShuffle, requestText } from "./load.ts";
import { createPostClient } from "./post-client.ts";

/** Enough that no request waits for another's answer at 2,000/s and 60 ms. */
const CONNECTIONS = 128;
/** Between asking for a load and its first request. */
const LEAD_MS = 20;
const ACCEPTED = 202;

const acceptedSchema = z.object({ notification_id: z.string() });

export interface Load {
  /** Notifications a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface Sender {
  /** All requests so far; the place of one is in its correlation id. */
  readonly sent: readonly Sent[];
  /** Resolves when all of this load are answered or given up. */
  send(load: Load): Promise<void>;
  close(): void;
}

export function createSender(options: {
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
  /** Where its requests are noted; shared by all that send to the same sockets. */
  readonly sent?: Sent[];
}): Sender {
  const { users, sent = [] } = options;
  const client = createPostClient({ ...options, connections: CONNECTIONS });
  const nextUser = createShuffle(users.length);
  const keyOf = createKeys();

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
      const key = `Idempotency-Key: ${keyOf(index)}\r\n`;
      const { status, body } = await client.post(
        "/notify",
        key,
        requestText(users[user] ?? "", index),
      );
      entry.answeredMs = performance.now();
      if (status === ACCEPTED) {
        entry.notificationId = acceptedSchema.parse(JSON.parse(body)).notification_id;
      } else entry.refusal = `answered ${status}`;
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
    close: () => client.close(),
  };
}
