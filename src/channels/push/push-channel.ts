/** Web Push (RFC 8030): encrypts a message for one browser (RFC 8291), signs it (RFC 8292), posts it. */
import { Agent, request, type Dispatcher } from "undici";
import webPush from "web-push";
import type { Clock } from "../../platform/clock.ts";
import {
  MAX_PUSH_PAYLOAD_BYTES,
  type Outcome,
  type PushAddress,
  type PushChannel,
  type PushMessage,
} from "../channel.ts";
import { withDeadline } from "../deadline.ts";
import { createCheckedLookup } from "./checked-lookup.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
import { isKeyRefusal, outcomeOfAnswer, outcomeOfFailure } from "./errors.ts";
import type { PushSettings } from "./settings.ts";
import type { VapidFaults } from "./vapid-faults.ts";
import { createVapidHeaders } from "./vapid-header.ts";
import type { VapidKey } from "./vapid-keys.ts";

/** Connections kept open to one push service; more sends at once wait for their turn. */
const MAX_CONNECTIONS_PER_SERVICE = 64;
/**
 * An idle connection is kept for so long, unless the push service announces less: a new one costs a
 * TLS handshake, which is more than the message. Longer than push services keep them would be reset.
 */
const KEEP_ALIVE_MS = 30_000;
/** Answers carry at most a short reason; whoever sends more, or takes longer, loses the connection. */
const MAX_ANSWER_BYTES = 16_384;
/** Of a subscription that was made with a key which is configured no more. */
const UNKNOWN_KEY = "vapid key not configured";
/** After the head. With bodies that never end, 64 connections would be in use until their timeout. */
const MAX_REST_MS = 1_000;

export interface PushChannelOptions {
  readonly settings: Pick<PushSettings, "keys" | "subject" | "timeoutMs">;
  readonly policy: EndpointPolicy;
  /** Hears what push services say about our keys. */
  readonly faults: Pick<VapidFaults, "refused" | "taken">;
  readonly clock: Pick<Clock, "now" | "after">;
}

export function createPushChannel(
  options: PushChannelOptions,
): PushChannel & { close(): Promise<void> } {
  const { settings, policy, clock, faults } = options;
  const { keys, subject, timeoutMs } = settings;
  const headers = createVapidHeaders({ subject, clock });
  const pool = {
    connections: MAX_CONNECTIONS_PER_SERVICE,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  };
  const checkedAgent = new Agent({
    ...pool,
    connect: { lookup: createCheckedLookup(), timeout: timeoutMs },
  });
  const trustedAgent = new Agent({ ...pool, connect: { timeout: timeoutMs } });

  /** The head decides; the rest is read only so that the connection can be used again. */
  function leaveRest(body: Dispatcher.ResponseData["body"]): void {
    const patience = new AbortController();
    const cancel = clock.after(MAX_REST_MS, () => patience.abort());
    body
      .dump({ limit: MAX_ANSWER_BYTES, signal: patience.signal })
      .catch(() => {})
      .finally(cancel);
  }

  const post = async (sealed: SealedRequest, dispatcher: Agent): Promise<Answer> =>
    await withDeadline(clock, timeoutMs, async (signal) => {
      const { endpoint, headers: fields, body } = sealed;
      // Redirects are not followed: they would lead past the endpoint policy.
      const answer = await request(endpoint, {
        method: "POST",
        headers: fields,
        body,
        dispatcher,
        signal,
      });
      leaveRest(answer.body);
      return { status: answer.statusCode, retryAfter: answer.headers["retry-after"] };
    });

  /** What the answer says about the key that the message was signed with. */
  function heed(status: number, outcome: Outcome, origin: string, key: VapidKey): void {
    const answer = { origin, keyId: key.id };
    if (outcome.kind === "delivered") faults.taken(answer);
    if (!isKeyRefusal(status)) return;
    // It may be this one token that is not liked: a clock was wrong when it was made.
    headers.drop(origin, key);
    faults.refused(answer, `http ${status}`);
  }

  return {
    async send(address, message) {
      const verdict = policy.judge(address.endpoint);
      // Judged again at every send: the list may have changed since the browser subscribed.
      if (!verdict.allowed) return { kind: "rejected", detail: `endpoint ${verdict.reason}` };
      if (Buffer.byteLength(message.payload) > MAX_PUSH_PAYLOAD_BYTES) {
        return { kind: "rejected", detail: "payload_too_large" };
      }
      const { origin } = verdict;
      const key = keys.ofSubscription(address.keyId);
      if (key === undefined) {
        faults.refused({ origin, keyId: undefined }, UNKNOWN_KEY);
        return { kind: "rejected", detail: UNKNOWN_KEY };
      }
      const sealed = sealRequest(address, message, headers.of(origin, key));
      if (typeof sealed === "string") return { kind: "rejected", detail: sealed };
      try {
        const answer = await post(sealed, verdict.trusted ? trustedAgent : checkedAgent);
        const outcome = outcomeOfAnswer(answer.status, answer.retryAfter, clock.now());
        heed(answer.status, outcome, origin, key);
        return outcome;
      } catch (error) {
        return outcomeOfFailure(error);
      }
    },

    async close() {
      await Promise.all([checkedAgent.close(), trustedAgent.close()]);
    },
  };
}

/** What a push service answered, as far as it decides anything. */
interface Answer {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
}

interface SealedRequest {
  readonly endpoint: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/**
 * The encrypted, signed request. A text says why there is none, for instance keys that cannot be
 * encrypted to: one broken subscription must not keep a person's other browsers from ringing.
 */
function sealRequest(
  { endpoint, keys }: PushAddress,
  message: PushMessage,
  authorization: string,
): SealedRequest | string {
  try {
    const { cipherText } = webPush.encrypt(keys.p256dh, keys.auth, message.payload, "aes128gcm");
    const headers = {
      Authorization: authorization,
      TTL: String(message.ttlSeconds),
      Urgency: message.urgency,
      Topic: message.topic,
      "Content-Encoding": "aes128gcm",
      "Content-Type": "application/octet-stream",
    };
    return { endpoint, headers, body: cipherText };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
