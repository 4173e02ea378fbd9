/** An SMS of which nobody knows whether it was taken: how its note waits, and until when. Pure. */
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { move } from "../tracking/status-machine.ts";
import { entry } from "./step-traces.ts";

/** A provider that cannot be asked at the last look is asked this many times within the same time again. */
const FURTHER_LOOKS = 6;

export interface LookupQuestion {
  /** When the request was about to be sent, epoch ms. */
  readonly sentAt: number;
  readonly now: number;
  /** Of the looks, after that; shortest first. */
  readonly delaysMs: readonly number[];
  /** The provider could be asked just now: then the last look is the last. */
  readonly wasAsked: boolean;
}

/** Epoch ms of the next look, or undefined if there was the last. */
export function nextLookupAt(question: LookupQuestion): number | undefined {
  const { sentAt, now, delaysMs, wasAsked } = question;
  const next = delaysMs.find((delay) => sentAt + delay > now);
  if (next !== undefined) return sentAt + next;
  const last = delaysMs.at(-1) ?? 0;
  if (wasAsked || now >= sentAt + 2 * last) return undefined;
  return now + Math.max(1, Math.ceil(last / FURTHER_LOOKS));
}

/**
 * The SMS stays `sending`, of reason `unknown`, since it was taken in hand; a version that knows of no
 * looks takes it for one whose worker died, and sends nothing either. That it waits is told once.
 */
export function inDoubt(note: Note, until: number, now: number): NoteChange {
  const { sms } = note.channels;
  const isKnown = sms.state === "sending" && sms.reason === "unknown";
  return {
    note,
    decidedAt: now,
    leasedUntil: until,
    channels: { sms: { ...move("sms", sms, "sending", "unknown", now), at: sms.at } },
    counts: {},
    dueAt: until,
    timeline: isKnown ? [] : [entry("sms", sms, "sending", "unknown", now)],
  };
}
