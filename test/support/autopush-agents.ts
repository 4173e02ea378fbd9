/** The browsers that our autopush knows: their subscriptions, and the messages that wait for them. */
import { randomBytes, randomUUID } from "node:crypto";

export interface Subscription {
  readonly uaid: string;
  readonly channelId: string;
  /** Base64url without padding; undefined where anybody may send. */
  readonly vapidPublicKey: string | undefined;
}

export interface Message {
  readonly channelId: string;
  /** Names the message in the protocol. */
  readonly version: string;
  /** As it was posted: encrypted. */
  readonly body: Buffer;
  readonly ttlSeconds: number;
  readonly topic: string | undefined;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** How a connected browser is written to. */
export type Deliver = (message: Message) => void;

interface Agent {
  readonly channels: Map<string, string>;
  /** Not acknowledged yet, oldest first; also those that are under way. */
  waiting: Message[];
  deliver: Deliver | undefined;
}

export interface Agents {
  /**
   * A browser says hello. One that is unknown, or names nothing, gets a new id, by which it learns
   * that its subscriptions are gone. What waits for the others is delivered after this call.
   */
  hello(uaid: string | undefined, deliver: Deliver): { uaid: string; flush: () => void };
  /** Its connection ended; another may have taken over meanwhile. */
  leave(uaid: string, deliver: Deliver): void;
  /** @returns the path of the endpoint. */
  register(subscription: Subscription): string;
  unregister(uaid: string, channelId: string): void;
  /** Of an endpoint's path; "gone" once it was unregistered. */
  find(path: string): Subscription | "gone" | undefined;
  /** Delivers, or keeps for as long as its time to live says; the same topic replaces what waits. */
  accept(subscription: Subscription, message: Omit<Message, "channelId" | "version">): string;
  acknowledge(uaid: string, version: string): void;
  /** Loses all browsers, as autopush does with one that let too much pile up. */
  forgetAll(): void;
  /** How many endpoints take messages. */
  readonly subscriptionCount: number;
}

export function createAgents(now: () => number): Agents {
  const agents = new Map<string, Agent>();
  const endpoints = new Map<string, Subscription>();
  /** An endpoint that once was is answered with 410, one that never was with 404. */
  const gone = new Set<string>();

  function drop(path: string): void {
    endpoints.delete(path);
    gone.add(path);
  }

  return {
    hello(uaid, deliver) {
      const known = uaid === undefined ? undefined : agents.get(uaid);
      const agent = known ?? { channels: new Map(), waiting: [], deliver };
      const id =
        known === undefined || uaid === undefined ? randomUUID().replaceAll("-", "") : uaid;
      agents.set(id, agent);
      agent.deliver = deliver;
      return {
        uaid: id,
        flush() {
          agent.waiting = agent.waiting.filter(({ expiresAt }) => expiresAt > now());
          for (const message of agent.waiting) deliver(message);
        },
      };
    },

    leave(uaid, deliver) {
      const agent = agents.get(uaid);
      if (agent?.deliver !== deliver) return;
      agent.deliver = undefined;
      // Best effort only: who asked for no storage gets none.
      agent.waiting = agent.waiting.filter(({ ttlSeconds }) => ttlSeconds > 0);
    },

    register(subscription) {
      const version = subscription.vapidPublicKey === undefined ? "v1" : "v2";
      const path = `/wpush/${version}/${randomBytes(32).toString("base64url")}`;
      const channels = agents.get(subscription.uaid)?.channels;
      const former = channels?.get(subscription.channelId);
      if (former !== undefined) drop(former);
      channels?.set(subscription.channelId, path);
      endpoints.set(path, subscription);
      return path;
    },

    unregister(uaid, channelId) {
      const agent = agents.get(uaid);
      const path = agent?.channels.get(channelId);
      if (agent === undefined || path === undefined) return;
      agent.channels.delete(channelId);
      agent.waiting = agent.waiting.filter((message) => message.channelId !== channelId);
      drop(path);
    },

    find: (path) => endpoints.get(path) ?? (gone.has(path) ? "gone" : undefined),

    accept({ uaid, channelId }, taken) {
      const message = { ...taken, channelId, version: randomBytes(24).toString("base64url") };
      const agent = agents.get(uaid);
      if (agent === undefined) return message.version;
      if (message.topic !== undefined) {
        agent.waiting = agent.waiting.filter(
          (other) => other.channelId !== channelId || other.topic !== message.topic,
        );
      }
      if (agent.deliver !== undefined || message.ttlSeconds > 0) agent.waiting.push(message);
      agent.deliver?.(message);
      return message.version;
    },

    acknowledge(uaid, version) {
      const agent = agents.get(uaid);
      if (agent === undefined) return;
      agent.waiting = agent.waiting.filter((message) => message.version !== version);
    },

    forgetAll() {
      for (const path of endpoints.keys()) drop(path);
      agents.clear();
    },

    get subscriptionCount() {
      return endpoints.size;
    },
  };
}
