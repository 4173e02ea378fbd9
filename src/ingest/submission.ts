/** What the ways in hand to accept, and what becomes of each. */
import type { NotificationRequest } from "../contract/notification-request.ts";
import type { Category } from "../contract/vocabulary.ts";
import type { Problem } from "../platform/problems.ts";
import type { NewNote } from "../tracking/ledger-changes.ts";
import type { OccurrenceKind } from "./occurrences.ts";

/** One notification as it came in, parsed. */
export interface Submission {
  readonly request: NotificationRequest;
  readonly idempotencyKey: string | undefined;
  /** `lenient`: the template's required fields may be absent or null. Left out: `strict`. */
  readonly leniency?: "strict" | "lenient";
  /** What only an event says. */
  readonly event?: EventDetails;
}

export interface EventDetails {
  /** Wins over the template's in the frame. */
  readonly category?: Category;
  /** W3C trace context, for the log lines of delivery. */
  readonly traceparent?: string;
  /** Epoch ms: wins over what the template finds in the data. */
  readonly deadlineMs?: number;
  /** Epoch ms: when it happened. Left out: now. */
  readonly occurredAtMs?: number;
  /** The occurrence behind it, where another kind of event may tell of the same one. */
  readonly occurrence?: { readonly correlationId: string; readonly kind: OccurrenceKind };
}

export type Acceptance =
  | {
      readonly kind: "accepted";
      readonly id: string;
      readonly repeated: boolean;
      readonly suppressed: boolean;
      /** As it was created; undefined for one that was there before, or was suppressed. */
      readonly created: NewNote | undefined;
      /** False: it is durable, and only the due index will bring it up, after its lease. */
      readonly queued: boolean;
    }
  | { readonly kind: "refused"; readonly problem: Problem }
  /** The other kind of event about the same occurrence rang already: there is no notification. */
  | { readonly kind: "deduplicated" };
