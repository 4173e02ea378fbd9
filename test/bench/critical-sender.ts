/** Sends critical notifications at a fixed rate, whatever the answers do, until it is told to stop. */
import { z } from "zod";
import { CORRELATION_PREFIX } from "./frame-scan.ts";
import type { Sent } from "./judgement.ts";
import { createKeys, createShuffle } from "./load.ts";
import { createPostClient } from "./post-client.ts";

const CONNECTIONS = 32;
const ACCEPTED = 202;

/** Critical by its template: nobody has to be allowed to raise it. */
const CONTENT =
  '"template_id":"iep_deadline_warning","data":{"student_name":"Kim Berg",' +
  '"deadline_date":"2099-06-01T12:00:00Z"}';

const acceptedSchema = z.object({ notification_id: z.string() });

export interface CriticalSender {
  /** All so far; the index of the first is `from`. */
  readonly sent: readonly Sent[];
  /** Sends while `goOn` says so. @returns when all are answered or given up */
  send(rate: number, goOn: () => boolean): Promise<void>;
  close(): void;
}

/** @param options.from index of the first, in its correlation id */
export function createCriticalSender(options: {
  readonly url: string;
  readonly token: string;
  readonly users: readonly string[];
  readonly from: number;
}): CriticalSender {
  const { users, from } = options;
  const client = createPostClient({ ...options, connections: CONNECTIONS });
  const nextUser = createShuffle(users.length);
  const keyOf = createKeys();
  const sent: Sent[] = [];

  async function post(intendedMs: number): Promise<void> {
    const user = nextUser();
    const index = from + sent.length;
    const entry: Sent = {
      user,
      intendedMs,
      sentMs: performance.now(),
      answeredMs: Number.NaN,
      notificationId: undefined,
      refusal: undefined,
    };
    sent.push(entry);
    const text = `{${CONTENT},"user_id":"${users[user]}","correlation_id":"${CORRELATION_PREFIX}${index}"}`;
    try {
      const answer = await client.post("/notify", `Idempotency-Key: ${keyOf(index)}\r\n`, text);
      entry.answeredMs = performance.now();
      if (answer.status === ACCEPTED) {
        entry.notificationId = acceptedSchema.parse(JSON.parse(answer.body)).notification_id;
      } else entry.refusal = `answered ${answer.status}`;
    } catch (error) {
      entry.refusal = error instanceof Error ? error.message : String(error);
    }
  }

  return {
    sent,
    async send(rate, goOn) {
      const startMs = performance.now();
      const answers: Promise<void>[] = [];
      const dueMs = (): number => startMs + (answers.length * 1_000) / rate;
      while (goOn()) {
        const waitMs = dueMs() - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        while (dueMs() <= performance.now()) answers.push(post(dueMs()));
      }
      await Promise.all(answers);
    },
    close: () => client.close(),
  };
}
