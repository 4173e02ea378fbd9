/**
 * Tells workers what became of their frames. The first answer after a pause leaves at once; under load
 * they are gathered for a few milliseconds, and one message carries many.
 */
import { formatAnswers, type NodeAnswer } from "../contract/node-message.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Redis } from "../platform/redis.ts";

/** About 30 KB of text, so that one message never fills a subscriber's buffer. */
const ANSWERS_PER_MESSAGE = 500;

export interface Answers {
  add(workerId: string, answer: NodeAnswer): void;
  /** Sends what is waiting; resolves when Redis took it. Never rejects. */
  flush(): Promise<void>;
}

export function createAnswers(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hears of notes whose client acknowledged, when the worker that waited for it is gone. */
  readonly onUnheardAcks: (noteIds: readonly string[]) => void;
  /** At least so long between two sendings; 0: one in each turn of the event loop. */
  readonly answerIntervalMs: number;
}): Answers {
  const { redis, keyspace, clock, log, answerIntervalMs, onUnheardAcks } = deps;
  let waiting = new Map<string, NodeAnswer[]>();
  let scheduled = false;
  let mayLeaveAt = 0;

  async function flush(): Promise<void> {
    scheduled = false;
    mayLeaveAt = clock.now() + answerIntervalMs;
    const batch = waiting;
    waiting = new Map();
    const sends: Promise<void>[] = [];
    for (const [workerId, answers] of batch) {
      for (let from = 0; from < answers.length; from += ANSWERS_PER_MESSAGE) {
        sends.push(send(workerId, answers.slice(from, from + ANSWERS_PER_MESSAGE)));
      }
    }
    await Promise.all(sends);
  }

  /** Never rejects: a worker that hears nothing goes on to the next channel. */
  async function send(workerId: string, answers: readonly NodeAnswer[]): Promise<void> {
    let heard = 0;
    try {
      const channel = keyspace.plain(`{w}:worker:${workerId}`);
      heard = Number(await redis.spublish(channel, formatAnswers(answers)));
    } catch (error) {
      log.warn({ err: error }, "answers to workers were not sent");
    }
    if (heard > 0) return;
    const acked = answers.filter(({ result }) => result === "acked");
    if (acked.length > 0) onUnheardAcks(acked.map(({ noteId }) => noteId));
  }

  return {
    add(workerId, answer) {
      const answers = waiting.get(workerId);
      if (answers === undefined) waiting.set(workerId, [answer]);
      else answers.push(answer);
      if (scheduled) return;
      scheduled = true;
      const waitMs = mayLeaveAt - clock.now();
      // The rest of this turn may have more to say.
      if (waitMs <= 0) setImmediate(() => void flush());
      else clock.after(waitMs, () => void flush());
    },
    flush,
  };
}
