/** The two ways to send a push that the bench compares: the library's, a signature each, and the product's. */
import { Agent, request } from "undici";
import webPush from "web-push";
import type { PushAddress, PushMessage } from "../../src/channels/channel.ts";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import { createPushChannel } from "../../src/channels/push/push-channel.ts";
import { createVapidHeaders } from "../../src/channels/push/vapid-header.ts";
import { createVapidKeys } from "../../src/channels/push/vapid-keys.ts";
import { createSystemClock } from "../../src/platform/clock.ts";
import type { VapidPair } from "../../src/platform/key-material.ts";

const SUBJECT = "mailto:operator@example.org";
const TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;

export interface PushSender {
  readonly name: string;
  /** Encrypts and signs, and sends nothing. */
  seal(address: PushAddress, message: PushMessage): void;
  /** Whether the push service took it. */
  send(address: PushAddress, message: PushMessage): Promise<boolean>;
  close(): Promise<void>;
}

/** Every message anew by `generateRequestDetails`; the connections are as the product's. */
export function createLibrarySender(pair: VapidPair): PushSender {
  const agent = new Agent({ connections: MAX_CONNECTIONS });
  const detailsOf = (address: PushAddress, message: PushMessage) =>
    webPush.generateRequestDetails(
      { endpoint: address.endpoint, keys: { ...address.keys } },
      message.payload,
      {
        vapidDetails: { ...pair, subject: SUBJECT },
        contentEncoding: "aes128gcm",
        TTL: message.ttlSeconds,
        urgency: message.urgency,
        topic: message.topic,
      },
    );
  return {
    name: "library, signed each",
    seal: (address, message) => void detailsOf(address, message),
    async send(address, message) {
      const { endpoint, headers, body } = detailsOf(address, message);
      const answer = await request(endpoint, { method: "POST", headers, body, dispatcher: agent });
      await answer.body.dump();
      return answer.statusCode === 201;
    },
    close: () => agent.close(),
  };
}

/** The channel as the worker has it. */
export function createProductSender(pair: VapidPair, origin: string): PushSender {
  const clock = createSystemClock();
  const keys = createVapidKeys(pair);
  const channel = createPushChannel({
    settings: { keys, subject: SUBJECT, timeoutMs: TIMEOUT_MS },
    policy: createEndpointPolicy([origin]),
    clock,
    faults: { refused: () => {}, taken: () => {} },
  });
  // What the channel does before it sends, and keeps to itself.
  const headers = createVapidHeaders({ subject: SUBJECT, clock });
  return {
    name: "product, header kept",
    seal(address, { payload }) {
      headers.of(origin, keys.current);
      webPush.encrypt(address.keys.p256dh, address.keys.auth, payload, "aes128gcm");
    },
    send: async (address, message) => (await channel.send(address, message)).kind === "delivered",
    close: () => channel.close(),
  };
}
