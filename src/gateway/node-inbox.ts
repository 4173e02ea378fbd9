/** This node's subscription: the messages that workers publish to it. */
import { parseNodeMessage, type NodeMessage } from "../contract/node-message.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Subscriber } from "../platform/redis.ts";

/** At a stop: what was sent before arrives before the answer, which a dead network never gives. */
const LEAVE_MS = 1_000;

export interface NodeInbox {
  /** Resolves once messages arrive. */
  start(): Promise<void>;
  stop(): Promise<void>;
  isSubscribed(): boolean;
}

export function createNodeInbox(deps: {
  /** A connection of its own, of kind `subscriber`. */
  readonly subscriber: Subscriber;
  readonly keyspace: Keyspace;
  readonly nodeId: string;
  readonly clock: Pick<Clock, "after">;
  readonly log: Logger;
  readonly onMessage: (message: NodeMessage) => void;
  /** A message came whose form only a newer version knows. */
  readonly onUnread?: () => void;
  /** The subscription was interrupted and is back: messages may have passed by. */
  readonly onResubscribed: () => void;
}): NodeInbox {
  const { subscriber, keyspace, nodeId, clock, log } = deps;
  const { onMessage, onUnread, onResubscribed } = deps;
  const channels = Array.from({ length: keyspace.shards }, (_, shard) =>
    keyspace.sharded(shard, `node:${nodeId}`),
  );
  let started = false;
  let subscribed = false;

  async function subscribe(): Promise<void> {
    // One by one: in a cluster each channel belongs to another slot.
    await Promise.all(channels.map((channel) => subscriber.ssubscribe(channel)));
    subscribed = true;
  }

  function onText(_channel: string, text: string): void {
    // What a worker sends together comes together: taking in a text costs more than cutting it up.
    for (const line of text.split("\n")) onLine(line);
  }

  function onLine(line: string): void {
    let message: NodeMessage | undefined;
    try {
      message = parseNodeMessage(line);
    } catch (error) {
      log.error({ err: error }, "a message to this node is malformed");
      return;
    }
    if (message === undefined) onUnread?.();
    else onMessage(message);
  }

  async function resubscribe(): Promise<void> {
    try {
      // The client subscribes again by itself; asking once more tells when that is done.
      await subscribe();
      if (started) onResubscribed();
    } catch (error) {
      // The connection broke again; the next "ready" comes back here.
      log.warn({ err: error }, "subscribing again failed");
    }
  }

  async function leave(): Promise<void> {
    let cancel = (): void => {};
    const tooLong = new Promise<void>((resolve) => {
      cancel = clock.after(LEAVE_MS, resolve);
    });
    const left = Promise.all(channels.map((channel) => subscriber.sunsubscribe(channel)));
    try {
      await Promise.race([left, tooLong]);
    } catch (error) {
      log.debug({ err: error }, "the subscription broke while it was left");
    } finally {
      cancel();
    }
  }

  const onReady = (): void => void resubscribe();
  const onClose = (): void => {
    subscribed = false;
  };

  return {
    async start() {
      subscriber.on("smessage", onText);
      subscriber.on("close", onClose);
      await subscribe();
      started = true;
      subscriber.on("ready", onReady);
    },

    async stop() {
      started = false;
      subscriber.off("ready", onReady);
      subscriber.off("close", onClose);
      if (subscribed) await leave();
      subscribed = false;
      subscriber.off("smessage", onText);
    },

    isSubscribed: () => subscribed,
  };
}
