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
  | {
      readonly kind: "opted_out";
      /** It was put down before, so that its provider was not asked. */
      readonly isKnown?: true;
    }
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
  /** Signed: what the provider says with each report of what became of the message. */
  readonly callbackToken?: string;
}

/** How far a message has come: as its provider or carrier says, in the order in which it may happen. */
export const CARRIER_STATUSES = [
  "queued",
  "sending",
  "sent",
  "delivered",
  "undelivered",
  "failed",
] as const;
export type CarrierStatus = (typeof CARRIER_STATUSES)[number];

/** What is said of a message after it was handed over. */
export interface CarrierReport {
  readonly status: CarrierStatus;
  /** The provider's own id of the message. */
  readonly messageId?: string | undefined;
  /** Why it did not arrive: the provider's code, and it in words. */
  readonly fault?: string | undefined;
  /** It did not arrive because the person asked not to be written to. */
  readonly optedOut?: boolean;
}

/** Messages that may be the one that nobody knows whether it was taken. */
export interface SmsQuery {
  /** E.164. */
  readonly phoneNumber: string;
  /** When they were taken, epoch ms. */
  readonly from: number;
  readonly until: number;
}

export interface FoundSms {
  readonly messageId: string;
  readonly text: string;
  /** When the provider took it, epoch ms. */
  readonly takenAt: number;
  readonly report: CarrierReport;
}

/** @throws whatever hinders it: then nothing is known. */
export type FindSms = (query: SmsQuery) => Promise<FoundSms[]>;

export type PushChannel = Channel<PushAddress, PushMessage>;
export type SmsChannel = Channel<SmsAddress, SmsMessage>;
