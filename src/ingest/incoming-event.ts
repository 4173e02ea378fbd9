/** What a record turns out to hold: an event that can be taken in, or the reason why not. */
import type { z } from "zod";
import { faultText } from "../platform/fault-text.ts";
import type { DeadLetterReason } from "../platform/kafka/dead-letters.ts";
import type { Problem } from "../platform/problems.ts";
import type { Submission } from "./submission.ts";

/** What an event is about, to ask whose it is. */
export interface Owned {
  readonly kind: "batch" | "class";
  readonly id: string;
}

export interface IncomingEvent {
  readonly submission: Submission;
  /** Epoch ms, as are all times here. */
  readonly occurredAtMs: number;
  /** However old it is, it matters until then. */
  readonly usefulUntilMs: number | null;
  /** Its sender wants nothing sent after that. */
  readonly expiresAtMs: number | null;
  /** Of all these its user must be the owner, as far as one is known. */
  readonly about: readonly Owned[];
}

export type EventReading =
  | { readonly kind: "event"; readonly event: IncomingEvent }
  | { readonly kind: "unusable"; readonly reason: DeadLetterReason; readonly detail: string };

export function unusable(reason: DeadLetterReason, detail: string): EventReading {
  return { kind: "unusable", reason, detail };
}

/** The first faults with their places and without values: `data.teacher_id: must be ...; ...`. */
export function faultsOf(error: z.ZodError, within = ""): string {
  return faultText(
    error.issues.map(({ path, message }) => ({
      place: [within, ...path.map(String)].filter((step) => step !== "").join("."),
      message,
    })),
  );
}

/** A refusal with its first faults. */
export function detailOf({ detail, errors }: Problem): string {
  if (errors.length === 0) return detail;
  const faults = faultText(errors.map(({ path, message }) => ({ place: path, message })));
  return `${detail.replace(/\.$/, "")}: ${faults}`;
}

/** W3C Trace Context, level 1: version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The first of `candidates` that is a trace context; others are left out, as the standard asks. */
export function traceparentOf(...candidates: readonly unknown[]): string | undefined {
  for (const candidate of candidates) {
    // Most events carry none.
    if (candidate === undefined) continue;
    const text = Buffer.isBuffer(candidate) ? candidate.toString("latin1") : candidate;
    if (typeof text === "string" && TRACEPARENT.test(text)) return text;
  }
  return undefined;
}
