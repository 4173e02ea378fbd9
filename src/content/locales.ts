/** The texts of every language, and which language a person gets. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInstance } from "i18next";
import { z } from "zod";
import { FAMILIES, LOCALES, type Family, type Locale } from "../contract/vocabulary.ts";

/** Template id (or `actions`, `fallback`) -> name of a text -> the text. */
export type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface TextRequest {
  readonly locale: Locale;
  readonly family: Family;
  /** Dotted keys; the first that exists is taken, the rest stand in for it. */
  readonly keys: readonly string[];
  /** Chooses the plural form. */
  readonly count?: number | undefined;
  /** What fills the gap of this name; undefined when there is nothing. */
  readonly value: (name: string) => string | undefined;
}

export interface Locales {
  /** The finished text; undefined when there is none, or when it mentions a value that is absent. */
  text(request: TextRequest): string | undefined;
  /** The texts as their files have them, for checks. */
  entries(locale: Locale, family: Family): Texts;
}

const textsSchema = z.record(z.string(), z.record(z.string(), z.string().min(1)));

function readTexts(file: string): Texts {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file}: ${reason}`, { cause: error });
  }
  const parsed = textsSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join(".")}: ${message}`,
  );
  throw new Error(`${file} does not hold texts:\n${mistakes.join("\n")}`);
}

/** Later texts win, one by one, so that an installation can reword a single sentence. */
function merge(base: Texts, added: Texts): Texts {
  const merged: Record<string, Readonly<Record<string, string>>> = { ...base };
  for (const [id, texts] of Object.entries(added)) merged[id] = { ...merged[id], ...texts };
  return merged;
}

function readLanguage(dirs: readonly string[], locale: Locale): Record<string, Texts> {
  const families: Record<string, Texts> = {};
  for (const dir of dirs) {
    const folder = join(dir, locale);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      const family = basename(name, ".json");
      // Other files, such as the pages' own texts, lie beside these.
      if (!FAMILIES.some((known) => `${known}.json` === name)) continue;
      families[family] = merge(families[family] ?? {}, readTexts(join(folder, name)));
    }
  }
  return families;
}

/** A text cut at its gaps: every second piece is the name of one. */
type Sentence = readonly string[];

function compile(text: string): Sentence {
  return text.split(/\{\{\s*([^{}]*?)\s*\}\}/);
}

function fill(sentence: Sentence, value: TextRequest["value"]): string | undefined {
  let text = "";
  for (const [at, piece] of sentence.entries()) {
    const words = at % 2 === 0 ? piece : value(piece);
    if (words === undefined) return undefined;
    text += words;
  }
  return text;
}

const PLURAL_RULES = new Map(LOCALES.map((locale) => [locale, new Intl.PluralRules(locale)]));

/** Counts beyond this are asked of each time. */
const MAX_KEPT_COUNT = 1_000;
const keptForms = new Map(LOCALES.map((locale) => [locale, new Map<number, string>()]));

/** Counts with the same answer share a sentence, also where the English one stands in. */
function pluralForm(locale: Locale, count: number): string {
  const kept = keptForms.get(locale);
  const known = kept?.get(count);
  if (known !== undefined) return known;
  const own = PLURAL_RULES.get(locale)?.select(count);
  const form = `${count === 0 ? "none" : ""}-${own}-${PLURAL_RULES.get("en")?.select(count)}`;
  if (Number.isInteger(count) && Math.abs(count) < MAX_KEPT_COUNT) kept?.set(count, form);
  return form;
}

/**
 * Reads `<dir>/<locale>/<family>.json`; the texts of `extraDir` are added or win.
 * @throws Error naming the file that is not JSON or not texts.
 */
export function loadLocales(from: {
  readonly dir: string;
  readonly extraDir?: string | undefined;
}): Locales {
  const dirs = from.extraDir === undefined ? [from.dir] : [from.dir, from.extraDir];
  const resources = Object.fromEntries(LOCALES.map((name) => [name, readLanguage(dirs, name)]));
  const i18n = createInstance();
  // Resources are there, so this is done when it returns; nothing is left to wait for.
  void i18n.init({
    initAsync: false,
    resources,
    lng: "en",
    fallbackLng: "en",
    ns: [...FAMILIES],
    defaultNS: "general",
    nsSeparator: false,
  });

  // i18next finds each sentence once; filling its gaps is ours, because that is done for every
  // message and because what a caller sent must never be looked up: `$t(...)` stays as it is.
  const sentences = new Map<string, Sentence | undefined>();
  const find = ({ locale, family, keys, count }: TextRequest): Sentence | undefined => {
    const form = count === undefined ? "" : pluralForm(locale, count);
    const name = `${locale} ${family} ${form} ${keys.join(" ")}`;
    if (sentences.has(name)) return sentences.get(name);
    const text: unknown = i18n.t([...keys], {
      lng: locale,
      ns: family,
      ...(count === undefined ? {} : { count }),
      skipInterpolation: true,
      defaultValue: "",
    });
    const found = typeof text === "string" && text !== "" ? compile(text) : undefined;
    sentences.set(name, found);
    return found;
  };

  return {
    text(request) {
      const sentence = find(request);
      return sentence === undefined ? undefined : fill(sentence, request.value);
    },
    entries: (locale, family) => resources[locale]?.[family] ?? {},
  };
}

/** The texts for a language tag: its language's (`sv-FI` -> `sv`), else those of `fallback`. */
export function chooseLocale(requested: string | undefined, fallback: Locale = "en"): Locale {
  const language = requested?.toLowerCase().split(/[-_]/, 1)[0];
  return LOCALES.find((name) => name === language) ?? fallback;
}
