/**
 * Dates, numbers and lists as a language writes them. Intl's formats are dear to make, so kept, and
 * dates dear to write (1.5 us): one deadline is told to a whole class, and "now" is asked of by all.
 */
import { LOCALES } from "../contract/vocabulary.ts";
import type { Locale } from "../contract/vocabulary.ts";

const DAY_MS = 86_400_000;
/** A format costs about 20 KB; people of one school share a handful of them. */
const MAX_KEPT_FORMATS = 500;
/** Dates as written, some 200 bytes each. */
const MAX_KEPT_DATES = 2_000;
const MINUTE_MS = 60_000;
/** Since then every zone is a whole number of minutes away from UTC; before, some counted seconds. */
const WHOLE_MINUTES_SINCE_MS = Date.UTC(1973, 0);
/** Without a separator every language writes a count alike. */
const LEAST_GROUPED = 1_000;
const UTC = "UTC";

/** `long` with the weekday, for screens; `short` for SMS. */
export type DateStyle = "long" | "short";

/** In whose manner values are written. */
export interface Reader {
  readonly locale: Locale;
  /** As requested; `en-GB` reads English texts but writes dates the British way. */
  readonly tag: string | undefined;
  /** Undefined or unknown to this system: UTC. */
  readonly timezone: string | undefined;
}

export interface ValueFormats {
  /** With the zone's name only where the reader's own zone is not known. */
  date(atMs: number, reader: Reader, style: DateStyle): string;
  number(value: number, reader: Reader): string;
  list(items: readonly string[], reader: Reader): string;
  /** Midnights between two instants on the reader's calendar. */
  daysBetween(fromMs: number, toMs: number, reader: Reader): number;
}

/** Digits and calendar are the same everywhere, as ids and links beside them are. */
const SHARED = { numberingSystem: "latn", calendar: "gregory" } as const;

function canonicalTag({ locale, tag }: Reader): string {
  try {
    const [canonical = locale] = Intl.getCanonicalLocales(tag?.replaceAll("_", "-") ?? locale);
    return canonical.split("-", 1)[0] === locale ? canonical : locale;
  } catch {
    return locale;
  }
}

function zoneOf({ timezone }: Reader): string {
  if (timezone === undefined) return UTC;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: timezone }).resolvedOptions().timeZone;
  } catch {
    return UTC;
  }
}

/** A French August is outside the alphabet of cheap SMS; its figures are read in one way only. */
function shortMonth({ locale }: Reader): "short" | "2-digit" {
  return locale === "fr" ? "2-digit" : "short";
}

function dateFormat(reader: Reader, style: DateStyle): Intl.DateTimeFormat {
  const timeZone = zoneOf(reader);
  return new Intl.DateTimeFormat(canonicalTag(reader), {
    ...SHARED,
    timeZone,
    ...(style === "long" ? { weekday: "long", month: "long" } : { month: shortMonth(reader) }),
    day: "numeric",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
    ...(timeZone === UTC ? { timeZoneName: "short" } : {}),
  });
}

/** The same for all moments of one minute, or of the moment alone. */
function minuteOf(atMs: number): string {
  return atMs < WHOLE_MINUTES_SINCE_MS ? `ms${atMs}` : String(Math.floor(atMs / MINUTE_MS));
}

function createKeeper<T>(most: number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>();
  return (key, make) => {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const made = make();
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    kept.set(key, made);
    return made;
  };
}

export function createValueFormats(): ValueFormats {
  const dates = createKeeper<Intl.DateTimeFormat>(MAX_KEPT_FORMATS);
  const dateTexts = createKeeper<string>(MAX_KEPT_DATES);
  const days = createKeeper<Intl.DateTimeFormat>(MAX_KEPT_FORMATS);
  const dayNumbers = createKeeper<number>(MAX_KEPT_DATES);
  const numbers = new Map(
    LOCALES.map((locale) => [locale, new Intl.NumberFormat(locale, SHARED)] as const),
  );
  const lists = new Map(LOCALES.map((locale) => [locale, new Intl.ListFormat(locale)] as const));

  const dayNumber = (atMs: number, reader: Reader): number => {
    const zone = reader.timezone ?? UTC;
    return dayNumbers(`${zone} ${minuteOf(atMs)}`, () => {
      const format = days(zone, () => {
        // The Swedish order is that of ISO 8601.
        return new Intl.DateTimeFormat("sv", { dateStyle: "short", timeZone: zoneOf(reader) });
      });
      return Date.parse(`${format.format(atMs)}T00:00:00Z`) / DAY_MS;
    });
  };

  return {
    date(atMs, reader, style) {
      const { locale, tag = "", timezone = "" } = reader;
      const key = `${locale} ${tag} ${timezone} ${style}`;
      return dateTexts(`${key} ${minuteOf(atMs)}`, () =>
        dates(key, () => dateFormat(reader, style)).format(atMs),
      );
    },
    number(value, { locale }) {
      const isPlain = Number.isInteger(value) && value > 0 && value < LEAST_GROUPED;
      return isPlain ? String(value) : (numbers.get(locale)?.format(value) ?? String(value));
    },
    list: (items, { locale }) => lists.get(locale)?.format(items) ?? items.join(", "),
    daysBetween: (fromMs, toMs, reader) => dayNumber(toMs, reader) - dayNumber(fromMs, reader),
  };
}
