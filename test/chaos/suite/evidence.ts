/**
 * What is known of one run when it is over: what was asked for, what every client and provider saw, and
 * what the product says itself. Times are epoch ms of the runner's clock, which no fault touches.
 */
import type { AnalyticsReport } from "../../../src/tracking/analytics.ts";
import type { NotificationDetail } from "../../../src/tracking/view.ts";

/** One notification that somebody asked for, however often. */
export interface Asked {
  /**
   * Idempotency key of a request, event id of an event. Frames have it as their correlation id, and
   * messages in the sender's own words have it in their title.
   */
  readonly key: string;
  readonly by: "rest" | "bulk" | "kafka" | "domain";
  readonly userId: string;
  /** Undefined where none was given; one that was is not used for another notification. */
  readonly phoneNumber: string | undefined;
  readonly critical: boolean;
  /** Asked first. */
  readonly askedAt: number;
  /** When the answer with the id came, or the broker took the event; undefined if it never did. */
  readonly acceptedAt: number | undefined;
  /** Every id that was answered; more than one is a violation. Empty for events. */
  readonly ids: readonly string[];
  /** Not to be sent at once. */
  readonly scheduled: boolean;
  /** It was cancelled before it was due, and the product said so. */
  readonly cancelled: boolean;
}

export type TabEvent =
  /** The greeting of a connection; the epoch is empty where the user has no history yet. */
  | {
      readonly kind: "open";
      readonly at: number;
      readonly epoch: string;
      readonly replayId: number;
      /** How often the page was loaded anew before: what is shown anew then is no repetition. */
      readonly visit: number;
      /** What it asked to be replayed behind; undefined: only what never met a socket. */
      readonly from: { readonly replayId: number; readonly epoch: string | undefined } | undefined;
    }
  | {
      readonly kind: "gap";
      readonly at: number;
      readonly reason: string;
      readonly epoch: string;
      readonly oldest: number | undefined;
    }
  /** A notification as it came over the wire, repetitions included. */
  | {
      readonly kind: "frame";
      readonly at: number;
      readonly notificationId: string;
      readonly key: string;
      readonly replayId: number;
      readonly epoch: string;
    }
  /** Given to the page by the client, which drops what it knows. */
  | { readonly kind: "shown"; readonly at: number; readonly notificationId: string }
  /** An acknowledgement that was handed to the socket: this one and all before it in the epoch. */
  | {
      readonly kind: "acked";
      readonly at: number;
      readonly replayId: number;
      readonly epoch: string;
    }
  | { readonly kind: "closed"; readonly at: number; readonly code: number };

/** One open page of a user, over all its connections. */
export interface TabLog {
  readonly userId: string;
  readonly name: string;
  readonly events: readonly TabEvent[];
  /** It was connected when the run ended, so that nothing may be missing. */
  readonly connectedAtEnd: boolean;
}

export interface PushTaken {
  readonly at: number;
  readonly endpoint: string;
  readonly notificationId: string;
  /** Found in its title; empty where that is in the product's own words. */
  readonly key: string;
  /** What the service answered; undefined where it left the request without a whole answer. */
  readonly status: number | undefined;
  /** The service worker said that it was shown, and was answered. */
  readonly receipted: boolean;
}

export interface TextTaken {
  readonly at: number;
  readonly to: string;
  /** Found in the text. */
  readonly key: string;
  /** False where Twilio took the message and its answer never came whole. */
  readonly answered: boolean;
}

export interface AuditLine {
  readonly event: string;
  readonly notificationId: string | undefined;
}

/**
 * An outcome event as it stands in Kafka, those of one notification in their order. Repetitions of an
 * event, which readers drop by its id, are left out.
 */
export interface Told {
  readonly notificationId: string;
  /** What it tells of, such as `settled` or `late`. */
  readonly outcome: string;
  readonly status: string;
}

/** A note as `GET /notifications/{id}` shows it, and what only the ledger tells. */
export interface StatedNote extends NotificationDetail {
  readonly eventId: string | undefined;
  /** What it is counted as. */
  readonly notificationType: string;
  /** Of its place in the user's history. */
  readonly epoch: string | undefined;
  /** When it was meant to be sent, if that was later than its acceptance; epoch ms. */
  readonly sendAt: number | undefined;
}

/** What the product says when it has nothing more to do. */
export interface Statement {
  /** All notes that the ledger holds, also those that nobody knows to have asked for. */
  readonly notes: readonly StatedNote[];
  readonly analytics: AnalyticsReport;
  readonly audit: readonly AuditLine[];
  readonly outcomes: readonly Told[];
  /** Entries left in the due index. */
  readonly unsettled: number;
  /** Where the histories of those who were asked about stand, by user. */
  readonly positions: ReadonlyMap<string, { readonly epoch: string; readonly replayId: number }>;
}

export interface Evidence {
  readonly asked: readonly Asked[];
  readonly tabs: readonly TabLog[];
  readonly pushes: readonly PushTaken[];
  readonly texts: readonly TextTaken[];
  /** Whose each push endpoint is, by those who subscribed. */
  readonly browsers: ReadonlyMap<string, string>;
  readonly statement: Statement;
  /**
   * Redis came back as it was at this time: what was accepted or sent after it may be unknown to it.
   * Undefined where it never lost anything.
   */
  readonly survivedUntil: number | undefined;
  /** Redis' clock, which all processes go by, was wrong for a while: early may have been in time. */
  readonly redisClockStepped?: boolean | undefined;
  /** When it was back; what came later is judged as ever. Undefined: never, for all that is known. */
  readonly restoredAt?: number | undefined;
}

/** What each run is held to. */
export const PROMISES = [
  "accepted once",
  "settled",
  "shown in order",
  "nothing missed",
  "shown once",
  "texted once",
  "providers agree",
  "counted once",
  "audited once",
  "confirmed by acks",
  "told to Kafka",
] as const;
export type PromiseName = (typeof PROMISES)[number];

export interface Finding {
  readonly promise: PromiseName;
  /** How many things were held to it. */
  readonly checked: number;
  /** A sentence each. */
  readonly violations: readonly string[];
  /** Left out because Redis was taken back behind them. */
  readonly excluded: number;
}
