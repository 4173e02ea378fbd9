/** Which dead letters are meant: options and ids as they were written, judged. */
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "../../platform/kafka/dead-letters.ts";
import { REASONS, type Reason } from "../../contract/vocabulary.ts";
import { WrongUse } from "../run-command.ts";

/** `events`: records put aside in Kafka; `notifications`: notes that failed in the ledger. */
export const KINDS = ["events", "notifications"] as const;
export type Kind = (typeof KINDS)[number];

export interface SelectionOptions {
  readonly kind?: Kind;
  readonly reason?: string;
  readonly topic?: string;
  readonly template?: string;
}

export interface Selection {
  readonly kinds: readonly Kind[];
  readonly events: EventSelection;
  readonly notes: NoteSelection;
}

export interface EventSelection {
  readonly reason?: DeadLetterReason | undefined;
  /** The topic it came from, with or without the installation's prefix. */
  readonly topic?: string | undefined;
}

export interface NoteSelection {
  readonly reason?: Reason | undefined;
  readonly templateId?: string | undefined;
}

const EVENT_ID = /^\d{1,9}:\d{1,19}$/;
const NOTE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws WrongUse if the options contradict each other, or name a reason that there is not. */
export function readSelection({ kind, reason, topic, template }: SelectionOptions): Selection {
  const eventReason = DEAD_LETTER_REASONS.find((known) => known === reason);
  const noteReason = REASONS.find((known) => known === reason);
  if (reason !== undefined && eventReason === undefined && noteReason === undefined) {
    throw new WrongUse(
      `--reason "${reason}" is none; of events: ${DEAD_LETTER_REASONS.join(", ")}; ` +
        `of notifications: ${REASONS.join(", ")}`,
    );
  }
  const narrowing = [
    { option: `--kind ${kind}`, to: kind },
    { option: `--reason ${reason}`, to: kindOf(eventReason, noteReason) },
    { option: "--topic", to: topic && ("events" as const) },
    { option: "--template", to: template && ("notifications" as const) },
  ].flatMap(({ option, to }) => (to === undefined || to === "" ? [] : [{ option, to }]));
  const [first] = narrowing;
  const other = narrowing.find(({ to }) => to !== first?.to);
  if (first !== undefined && other !== undefined) {
    throw new WrongUse(
      `${first.option} selects ${first.to} and ${other.option} ${other.to}: nothing is both`,
    );
  }
  return {
    kinds: first === undefined ? KINDS : [first.to],
    events: { reason: eventReason, topic },
    notes: { reason: noteReason, templateId: template },
  };
}

/** The one kind that has the reason; undefined where both have it, such as `poison`, or none is asked. */
function kindOf(
  eventReason: DeadLetterReason | undefined,
  noteReason: Reason | undefined,
): Kind | undefined {
  if (eventReason !== undefined) return noteReason === undefined ? "events" : undefined;
  return noteReason === undefined ? undefined : "notifications";
}

export interface LetterIds {
  /** `partition:offset` in the dead-letter topic. */
  readonly events: readonly string[];
  /** Ids of notifications. */
  readonly notifications: readonly string[];
}

/** @throws WrongUse naming what is no id. */
export function readIds(ids: readonly string[]): LetterIds {
  const strange = ids.find((id) => !EVENT_ID.test(id) && !NOTE_ID.test(id));
  if (strange !== undefined) {
    throw new WrongUse(
      `"${strange}" is no dead letter: an event is partition:offset, such as 0:12, and a ` +
        "notification its id",
    );
  }
  const unique = [...new Set(ids)];
  return {
    events: unique.filter((id) => EVENT_ID.test(id)),
    notifications: unique.filter((id) => NOTE_ID.test(id)),
  };
}

/** The kinds that these ids are of. */
export function kindsOf(ids: LetterIds): Kind[] {
  return KINDS.filter((kind) => ids[kind].length > 0);
}
