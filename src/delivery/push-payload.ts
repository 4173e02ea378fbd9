/**
 * Fits what a push says into the bytes that push services take. The rule, in this order: the body loses
 * its end; then the actions go, the last one first; then the title loses its end; a link that would
 * leave no room for a title gives way to the start page. So much is kept of each as there is room for: what goes
 * later is never shortened for the sake of what goes earlier.
 */
import { MAX_PUSH_PAYLOAD_BYTES } from "../channels/channel.ts";

/** What may be shortened of a payload; whatever else it holds is kept. */
export interface FittedPayload {
  readonly title: string;
  readonly body: string;
  readonly url: string;
  readonly actions: readonly unknown[];
  readonly locale: string;
}

const ELLIPSIS = "…";
const START_PAGE = "/";
/** A text is cut between two words, unless that would cost more than so much of what there is room for. */
const MAX_WORD_LOSS = 0.25;
/** Where there is room for less, nothing is said rather than a syllable. */
const MIN_TEXT_BYTES = 16;

const bytesOf = (text: string): number => Buffer.byteLength(text);
/** As it stands in JSON, where quotes, line breaks and lone surrogates take more room. */
const jsonBytesOf = (text: string): number => bytesOf(JSON.stringify(text)) - 2;

/** JSON of it, at most `MAX_PUSH_PAYLOAD_BYTES`; `payload` as it is where that fits. */
export function fitPayload(payload: FittedPayload): string {
  const whole = JSON.stringify(payload);
  if (bytesOf(whole) <= MAX_PUSH_PAYLOAD_BYTES) return whole;
  const { locale } = payload;
  const roomOf = (part: FittedPayload): number =>
    MAX_PUSH_PAYLOAD_BYTES - bytesOf(JSON.stringify(part));

  let fitted: FittedPayload = { ...payload, body: "", actions: [], title: "" };
  if (roomOf(fitted) < MIN_TEXT_BYTES) fitted = { ...fitted, url: START_PAGE };
  fitted = { ...fitted, title: cut(payload.title, roomOf(fitted), locale) };
  for (let count = payload.actions.length; count > 0; count -= 1) {
    const withActions = { ...fitted, actions: payload.actions.slice(0, count) };
    if (roomOf(withActions) < 0) continue;
    fitted = withActions;
    break;
  }
  return JSON.stringify({ ...fitted, body: cut(payload.body, roomOf(fitted), locale) });
}

/** The longest beginning of a text that takes at most `room` bytes of JSON, its ellipsis included. */
function cut(text: string, room: number, locale: string): string {
  if (jsonBytesOf(text) <= room) return text;
  if (room < MIN_TEXT_BYTES) return "";
  // No character takes less than a byte: what lies behind is too much in any case.
  const near = text.slice(0, room);
  const end = endOfCharacters(near, room - bytesOf(ELLIPSIS), locale);
  const between = endOfWords(near, end, locale);
  const kept = near.slice(0, between >= end * (1 - MAX_WORD_LOSS) ? between : end);
  return `${kept.trimEnd()}${ELLIPSIS}`;
}

/** As people see them: a flag, or a letter with its accents, is one. */
function endOfCharacters(text: string, maxBytes: number, locale: string): number {
  let bytes = 0;
  for (const { index, segment } of new Intl.Segmenter(locale).segment(text)) {
    bytes += jsonBytesOf(segment);
    if (bytes > maxBytes) return index;
  }
  return text.length;
}

/** The last place up to `end` where no word is cut in two. */
function endOfWords(text: string, end: number, locale: string): number {
  let last = 0;
  for (const { index } of new Intl.Segmenter(locale, { granularity: "word" }).segment(text)) {
    if (index > end) break;
    last = index;
  }
  return last;
}
