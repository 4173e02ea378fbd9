/** Where gateway nodes answer a worker: one channel per worker, answers in batches. */
import { parseAnswers, type NodeAnswer } from "../../contract/node-message.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Subscriber } from "../../platform/redis.ts";

export interface AnswerInbox {
  /** Resolves once answers arrive. */
  start(): Promise<void>;
}

export function createAnswerInbox(options: {
  /** A "subscriber" connection of its own. */
  readonly redis: Subscriber;
  readonly keyspace: Keyspace;
  readonly workerId: string;
  readonly onAnswers: (answers: readonly NodeAnswer[]) => void;
  /** An answer came whose form only a newer version knows. */
  readonly onUnread: () => void;
  readonly logger: Logger;
}): AnswerInbox {
  const { redis, keyspace, workerId, onAnswers, onUnread, logger } = options;
  return {
    async start() {
      redis.on("smessage", (_channel: string, text: string) => {
        try {
          onAnswers(parseAnswers(text, onUnread));
        } catch (error) {
          logger.error({ err: error }, "answers of a gateway node cannot be read");
        }
      });
      await redis.ssubscribe(keyspace.plain(`{w}:worker:${workerId}`));
    },
  };
}
