/** Web Push (RFC 8030): encrypts a message for one browser (RFC 8291), signs it (RFC 8292), posts it. */
import { Agent, request, type Dispatcher } from "undici";
import webPush from "web-push";
import type { Clock } from "../../platform/clock.ts";
import type { Outcome, PushAddress, PushChannel, PushMessage } from "../channel.ts";
import { withDeadline } from "../deadline.ts";
import { createCheckedLookup } from "./checked-lookup.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
import { outcomeOfAnswer, outcomeOfFailure } from "./errors.ts";
import type { PushSettings } from "./settings.ts";

/** A record of 4,096 bytes less its header, tag and delimiter (RFC 8291, section 4). */
const MAX_PAYLOAD_BYTES = 3_993;
/** Connections kept open to one push service; more sends at once wait for their turn. */
const MAX_CONNECTIONS_PER_SERVICE = 64;
/** Answers carry at most a short reason; whoever sends more, or takes longer, loses the connection. */
const MAX_ANSWER_BYTES = 16_384;
/** After the head. With bodies that never end, 64 connections would be in use until their timeout. */
const MAX_REST_MS = 1_000;

export interface PushChannelOptions {
  readonly settings: Pick<PushSettings, "vapid" | "timeoutMs">;
  readonly policy: EndpointPolicy;
  readonly clock: Pick<Clock, "now" | "after">;
}

export function createPushChannel(
  options: PushChannelOptions,
): PushChannel & { close(): Promise<void> } {
  const { settings, policy, clock } = options;
  const { vapid, timeoutMs } = settings;
  const pool = {
    connections: MAX_CONNECTIONS_PER_SERVICE,
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

  const post = async (sealed: SealedRequest, dispatcher: Agent): Promise<Outcome> =>
    await withDeadline(clock, timeoutMs, async (signal) => {
      const { endpoint, headers, body } = sealed;
      // Redirects are not followed: they would lead past the endpoint policy.
      const answer = await request(endpoint, { method: "POST", headers, body, dispatcher, signal });
      leaveRest(answer.body);
      return outcomeOfAnswer(answer.statusCode, answer.headers["retry-after"], clock.now());
    });

  return {
    async send(address, message) {
      const verdict = policy.judge(address.endpoint);
      // Judged again at every send: the list may have changed since the browser subscribed.
      if (!verdict.allowed) return { kind: "rejected", detail: `endpoint ${verdict.reason}` };
      if (Buffer.byteLength(message.payload) > MAX_PAYLOAD_BYTES) {
        return { kind: "rejected", detail: "payload_too_large" };
      }
      const sealed = sealRequest(address, message, vapid);
      if (typeof sealed === "string") return { kind: "rejected", detail: sealed };
      try {
        return await post(sealed, verdict.trusted ? trustedAgent : checkedAgent);
      } catch (error) {
        return outcomeOfFailure(error);
      }
    },

    async close() {
      await Promise.all([checkedAgent.close(), trustedAgent.close()]);
    },
  };
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
  address: PushAddress,
  message: PushMessage,
  vapid: PushSettings["vapid"],
): SealedRequest | string {
  try {
    return webPush.generateRequestDetails(
      { endpoint: address.endpoint, keys: { ...address.keys } },
      message.payload,
      {
        vapidDetails: vapid,
        contentEncoding: "aes128gcm",
        TTL: message.ttlSeconds,
        urgency: message.urgency,
        topic: message.topic,
      },
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
