/** Text messages that people send to us: STOP and START count, each once, whoever delivers them. */
import type { Clock } from "../../platform/clock.ts";
import { sha256Hex, type Keyspace } from "../../platform/keyspace.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Redis } from "../../platform/redis.ts";
import { keywordOf, type Keyword } from "./keywords.ts";
import type { OptOuts } from "./opt-outs.ts";
import { toE164 } from "./phone-number.ts";

/** Far longer than a provider goes on repeating a request. */
const KNOWN_SECONDS = 2 * 86_400;

export interface InboundMessage {
  /** Whoever delivers it: ids are unique within one. */
  readonly provider: string;
  readonly messageId: string;
  readonly from: string;
  readonly text: string;
  /** What the provider took it for, by keywords that were set up there: that counts, not the text. */
  readonly keyword?: Keyword | undefined;
}

/** A person took themselves off the list, or put themselves back on. */
export interface Choice {
  readonly provider: string;
  readonly keyword: "stop" | "start";
  readonly phoneNumber: string;
}

export interface InboundOptions {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly optOuts: Pick<OptOuts, "optOut" | "optIn">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "info">;
  /** For the audit trail. */
  readonly onChoice: (choice: Choice) => Promise<void>;
}

/**
 * @returns what the message asks for, also when it is a repetition; undefined for any other text and for
 * senders that are no phone numbers, of whom nothing is kept.
 */
export type TakeInbound = (message: InboundMessage) => Promise<Keyword | undefined>;

/** Puts down what a message asks for. Fails only where Redis is away: then it must be repeated. */
export function createInbound(options: InboundOptions): TakeInbound {
  const { redis, keyspace, optOuts, clock, logger } = options;

  /** A repeated STOP must not undo a START that came after it. */
  async function put(message: InboundMessage, keyword: "stop" | "start", phoneNumber: string) {
    const id = sha256Hex(`${message.provider} ${message.messageId}`);
    const key = keyspace.plain(`sms-in:${id}`);
    if ((await redis.exists(key)) === 1) return;
    // Before it is marked as known: one that is lost half way is repeated by its provider.
    await (keyword === "stop" ? optOuts.optOut(phoneNumber) : optOuts.optIn(phoneNumber));
    const isFirst = await redis.set(key, clock.now(), "EX", KNOWN_SECONDS, "NX");
    if (isFirst === null) return;
    await options.onChoice({ provider: message.provider, keyword, phoneNumber });
  }

  return async (message) => {
    const keyword = message.keyword ?? keywordOf(message.text);
    const phoneNumber = toE164(message.from);
    logger.info({ provider: message.provider, keyword: keyword ?? "none" }, "sms.received");
    if (keyword === undefined || phoneNumber === undefined) return undefined;
    if (keyword !== "help") await put(message, keyword, phoneNumber);
    return keyword;
  };
}
