/** The words that go into a text's gaps, and which of its variants they call for. */
import { parseInstant } from "./instant.ts";
import type { Subject } from "./subject.ts";
import type { Template } from "./template.ts";
import { OVERDUE, withoutVariant } from "./text-names.ts";
import type { DateStyle, Reader, ValueFormats } from "./value-formats.ts";

export interface TextValues {
  /** What fills the gap of this name; undefined when there is nothing. */
  readonly value: (name: string) => string | undefined;
  /** Parts of text names: `overdue`, `without_location`. */
  readonly variants: readonly string[];
  readonly count: number | undefined;
}

/** How values are written for one kind of text. */
export interface Manner {
  readonly reader: Reader;
  readonly style: DateStyle;
  /** Free text is cut to this many characters. */
  readonly maxLength: number;
  /** On one line, without control characters. */
  readonly oneLine: boolean;
}

type Data = Readonly<Record<string, unknown>>;

/** Whom no lock screen and no SMS may name. */
const PUPIL = "student_name";
/** Shorter pieces of a name turn up in other words by chance. */
const MIN_NAME_PIECE = 3;

/** `data`, with what the request says beside it for what `data` lacks or leaves null. */
export function fullData(subject: Subject): Data {
  const lacks = (name: string): boolean => (subject.data[name] ?? "") === "";
  const batch = subject.batchId !== undefined && lacks("batch_id");
  const group = subject.classId !== undefined && lacks("class_id");
  const student = subject.studentId !== undefined && lacks("student_id");
  if (!batch && !group && !student) return subject.data;
  return {
    ...subject.data,
    ...(batch ? { batch_id: subject.batchId } : {}),
    ...(group ? { class_id: subject.classId } : {}),
    ...(student ? { student_id: subject.studentId } : {}),
  };
}

function namesPupil(text: string, pupil: unknown): boolean {
  if (typeof pupil !== "string" || pupil.trim() === "") return false;
  const pieces = pupil.split(/\s+/).filter((piece) => piece.length >= MIN_NAME_PIECE);
  const haystack = text.toLowerCase();
  return [pupil.trim(), ...pieces].some((piece) => haystack.includes(piece.toLowerCase()));
}

/**
 * The part of the data that may leave the authenticated socket. A public field in which a sender
 * wrote the pupil's name ("at the Johnsons' home") is left out like one that is absent.
 */
export function publicData(template: Template, subject: Subject): Data {
  const all = fullData(subject);
  const shown: Record<string, unknown> = {};
  for (const name of template.publicFields) {
    const value = all[name];
    if (typeof value === "string" && namesPupil(value, all[PUPIL])) continue;
    if (value !== undefined) shown[name] = value;
  }
  return shown;
}

/** Cuts at a whole character; three full stops, because an ellipsis would leave the GSM alphabet. */
function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const characters = Array.from(text);
  if (characters.length <= maxLength) return text;
  return `${characters
    .slice(0, maxLength - 3)
    .join("")
    .trimEnd()}...`;
}

function freeText(text: string, { maxLength, oneLine }: Manner): string {
  const clean = oneLine
    ? text.replaceAll(/[\p{Cc}\s]+/gu, " ")
    : text.replaceAll(/[^\P{Cc}\n\t]/gu, "");
  return shorten(clean.toWellFormed().trim(), maxLength);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function display(value: unknown, isDate: boolean, manner: Manner, formats: ValueFormats): string {
  const { reader, style } = manner;
  if (typeof value === "number" && Number.isFinite(value)) return formats.number(value, reader);
  if (isTextList(value)) return freeText(formats.list(value, reader), manner);
  if (typeof value !== "string") return "";
  const atMs = isDate ? parseInstant(value) : null;
  if (isDate) return atMs === null ? "" : formats.date(atMs, reader, style);
  return freeText(value, manner);
}

function daysRemaining(
  data: Data,
  deadlineMs: number | null,
  nowMs: number,
  { manner, formats }: { manner: Manner; formats: ValueFormats },
): number | undefined {
  const stated = data["days_remaining"];
  if (typeof stated === "number" && Number.isFinite(stated)) return stated;
  if (deadlineMs === null) return undefined;
  // Later on the very day of the deadline nothing is left, though no midnight lies between.
  if (deadlineMs < nowMs) return -1;
  return formats.daysBetween(nowMs, deadlineMs, manner.reader);
}

function pluralCount(
  template: Template,
  data: Data,
  days: () => number | undefined,
): number | undefined {
  if (template.plural === undefined) return undefined;
  if (template.plural === "days_remaining") return days();
  const value = data[template.plural];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/**
 * Beside the fields, texts may mention `batch` (the batch's name, or its id), `deadline` (that of
 * the notification) and `days_remaining`, which counts down to it on the reader's calendar unless
 * the sender said how many.
 * @param data what may be mentioned: `fullData` or `publicData`.
 */
export function textValues(
  template: Template,
  subject: Subject,
  data: Data,
  { manner, formats }: { manner: Manner; formats: ValueFormats },
): TextValues {
  const deadlineMs = subject.deadline === null ? null : parseInstant(subject.deadline);
  // Two turns of the calendar, which most templates need not make.
  const days = (): number | undefined =>
    daysRemaining(data, deadlineMs, subject.now, { manner, formats });
  const fieldText = (name: string): string => {
    const known = template.dataSchema.properties[name] !== undefined;
    return known ? display(data[name], template.dateFields.has(name), manner, formats) : "";
  };
  const numberText = (value: number | undefined): string =>
    value === undefined ? "" : formats.number(value, manner.reader);
  const text = (name: string): string => {
    switch (name) {
      case "batch":
        return fieldText("batch_name") || fieldText("batch_id");
      case "deadline":
        return deadlineMs === null ? "" : formats.date(deadlineMs, manner.reader, manner.style);
      case "days_remaining":
        return numberText(days());
      default:
        return fieldText(name);
    }
  };
  // Most fields appear in no text, so each is written only when it is asked for.
  const value = (name: string): string | undefined => text(name) || undefined;

  const count = pluralCount(template, data, days);
  const absent = template.variants.filter((name) => value(name) === undefined);
  const overdue = template.plural === "days_remaining" && count !== undefined && count < 0;
  return {
    value,
    variants: [...(overdue ? [OVERDUE] : []), ...absent.map(withoutVariant)],
    count,
  };
}
