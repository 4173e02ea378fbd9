/** What every channel that talks to a provider offers: one send, one outcome, never an exception. */

export type Outcome =
  /** The provider took it. */
  | { readonly kind: "delivered"; readonly providerId?: string }
  /** Not taken, and trying again later can help. */
  | {
      readonly kind: "retry";
      /** How long the provider asked to wait. */
      readonly afterMs?: number;
      /** It is well, and was asked too often. */
      readonly throttled?: true;
      readonly detail: string;
    }
  /** This address will never work again: drop it. */
  | { readonly kind: "gone" }
  /** Refused for good; the address stays. */
  | { readonly kind: "rejected"; readonly detail: string }
  /** The person asked not to be written to. */
  | { readonly kind: "opted_out" }
  /** It may have been sent. Never blindly sent again. */
  | { readonly kind: "unknown"; readonly detail: string };

/**
 * `send` resolves with an outcome for everything a provider or the network can do; it throws only
 * for a bug. Each channel translates its provider's errors in its own `errors.ts`.
 */
export interface Channel<Address, Message> {
  send(address: Address, message: Message): Promise<Outcome>;
}

export interface PushAddress {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  /** Of the VAPID key that the subscription was made with; undefined: the oldest there is. */
  readonly keyId?: string | undefined;
}

/**
 * All that a browser's push service must take: a record of 4,096 bytes less its header, tag and
 * delimiter (RFC 8291, section 4).
 */
export const MAX_PUSH_PAYLOAD_BYTES = 3_993;

export interface PushMessage {
  readonly noteId: string;
  /** JSON of what the service worker shows; nothing that is not public. */
  readonly payload: string;
  readonly ttlSeconds: number;
  readonly urgency: "very-low" | "low" | "normal" | "high";
  /** At most 32 base64url characters: a newer message with it replaces an older one. */
  readonly topic: string;
}

export interface SmsAddress {
  /** E.164. */
  readonly phoneNumber: string;
}

export interface SmsMessage {
  readonly noteId: string;
  readonly text: string;
  /** How long the provider may keep trying. */
  readonly validitySeconds?: number;
}

export type PushChannel = Channel<PushAddress, PushMessage>;
export type SmsChannel = Channel<SmsAddress, SmsMessage>;
