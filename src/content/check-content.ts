/**
 * Holds texts against templates: every sentence there in every language, every gap fillable, and
 * nothing private where anyone can read it. The tests run it; so can an installation with its own.
 */
import { FAMILIES, LOCALES, type Locale } from "../contract/vocabulary.ts";
import type { Locales, Texts } from "./locales.ts";
import type { Template } from "./template.ts";
import {
  OVERDUE,
  RESERVED_NAMES,
  TEXT_KINDS,
  textNames,
  withoutVariant,
  type TextKind,
} from "./text-names.ts";

/** Beyond this, no language here has a form that whole numbers below a million take. */
const LARGEST_SAMPLE = 1_000;
const PLACEHOLDER = /\{\{([^}]*)\}\}/g;

/** A moment a text must fit: which fields it lacks, whether the deadline has passed. */
interface Situation {
  readonly absent: readonly string[];
  readonly overdue: boolean;
}

interface Place {
  readonly template: Template;
  readonly locale: Locale;
  readonly texts: Readonly<Record<string, string>>;
  /** The English texts: where they treat zero apart, so must the others. */
  readonly english: Readonly<Record<string, string>>;
}

function subsetsOf(names: readonly string[]): string[][] {
  return names.reduce<string[][]>(
    (subsets, name) => [...subsets, ...subsets.map((subset) => [...subset, name])],
    [[]],
  );
}

function countsDays(template: Template): boolean {
  return template.plural === "days_remaining";
}

function situationsOf(template: Template, kind: TextKind): Situation[] {
  const isPublic = TEXT_KINDS[kind].public;
  // In public, what is not public is always absent.
  const hidden = template.variants.filter((name) => isPublic && !template.publicFields.has(name));
  return subsetsOf(template.variants.filter((name) => !hidden.includes(name))).flatMap((subset) => {
    const absent = template.variants.filter((name) => [...hidden, ...subset].includes(name));
    return (countsDays(template) ? [false, true] : [false]).map((overdue) => ({ absent, overdue }));
  });
}

/** Every name a text of this name is needed under: itself, or one for each plural form. */
function namesNeeded({ template, locale, texts, english }: Place, name: string): string[] {
  if (texts[name] !== undefined || template.plural === undefined) return [name];
  const rules = new Intl.PluralRules(locale);
  const samples = Array.from({ length: LARGEST_SAMPLE + 1 }, (_each, count) => rules.select(count));
  const forms: Set<string> = new Set(samples);
  if (english[`${name}_zero`] !== undefined) forms.add("zero");
  return [...forms].map((form) => `${name}_${form}`);
}

/** Fields and computed values that are certain to be there. */
function available({ template }: Place, kind: TextKind, { absent, overdue }: Situation): string[] {
  const { required, properties } = template.dataSchema;
  const isPublic = TEXT_KINDS[kind].public;
  const fields = [...required, ...template.variants].filter(
    (name) =>
      properties[name] !== undefined &&
      !absent.includes(name) &&
      (!isPublic || template.publicFields.has(name)),
  );
  const { deadline } = template;
  const due =
    deadline !== undefined &&
    (deadline.defaultHours !== undefined || fields.includes(deadline.field));
  return [
    ...fields,
    ...(fields.includes("batch_id") || fields.includes("batch_name") ? ["batch"] : []),
    ...(due ? ["deadline"] : []),
    ...(due && !overdue ? ["days_remaining"] : []),
    ...(kind === "sms" ? ["link"] : []),
  ];
}

function gapMistakes(
  place: Place,
  kind: TextKind,
  name: string,
  filled: readonly string[],
): string[] {
  const text = place.texts[name] ?? "";
  const gaps = [...text.matchAll(PLACEHOLDER)].map(([, gap = ""]) => gap);
  const mistakes = gaps
    .filter((gap) => !filled.includes(gap))
    .map((gap) => `uses {{${gap}}}, which may be absent, private or unknown here`);
  if (kind === "sms" && !text.endsWith("{{link}}")) mistakes.push("does not end with {{link}}");
  return mistakes.map((mistake) => `${place.template.id}.${name} ${mistake}`);
}

function checkTexts(place: Place): string[] {
  const { template, texts } = place;
  const mistakes: string[] = [];
  const used = new Set<string>();
  for (const kind of Object.keys(TEXT_KINDS) as TextKind[]) {
    const exists = Object.keys(texts).some((name) => name === kind || name.startsWith(`${kind}_`));
    const mandatory = TEXT_KINDS[kind].required || place.english[kind] !== undefined;
    if (!exists && !mandatory) continue;
    for (const situation of situationsOf(template, kind)) {
      const { absent, overdue } = situation;
      const variants = [...(overdue ? [OVERDUE] : []), ...absent.map(withoutVariant)];
      const present = (name: string): boolean =>
        namesNeeded(place, name).some((each) => texts[each] !== undefined);
      const name = textNames(kind, variants).find(present) ?? kind;
      for (const needed of namesNeeded(place, name)) {
        used.add(needed);
        if (texts[needed] === undefined) mistakes.push(`${template.id}.${needed} is missing`);
        else mistakes.push(...gapMistakes(place, kind, needed, available(place, kind, situation)));
      }
    }
  }
  const unused = Object.keys(texts).filter((name) => !used.has(name));
  return [...mistakes, ...unused.map((name) => `${template.id}.${name} is never used`)];
}

function checkFile(templates: readonly Template[], locale: Locale, texts: Texts, english: Texts) {
  const mistakes = templates.flatMap((template) => {
    const own = { texts: texts[template.id] ?? {}, english: english[template.id] ?? {} };
    const labels = template.actions.filter(({ id }) => texts["actions"]?.[id] === undefined);
    return [
      ...checkTexts({ template, locale, ...own }),
      ...labels.map(({ id }) => `actions.${id} is missing`),
    ];
  });
  const strange = Object.keys(texts).filter(
    (id) => !RESERVED_NAMES.includes(id) && !templates.some((template) => template.id === id),
  );
  return [...mistakes, ...strange.map((id) => `${id} is not a template`)];
}

/**
 * Everything that is wrong, one line each with the file and the text's name; empty when all is
 * well. `languages` are those that must be complete.
 */
export function checkContent(content: {
  readonly templates: readonly Template[];
  readonly locales: Locales;
  readonly languages?: readonly Locale[];
}): string[] {
  const { templates, locales, languages = LOCALES } = content;
  return languages.flatMap((locale) =>
    FAMILIES.flatMap((family) => {
      const own = templates.filter((template) => template.family === family);
      const texts = locales.entries(locale, family);
      const mistakes = checkFile(own, locale, texts, locales.entries("en", family));
      return [...new Set(mistakes)].map((mistake) => `${locale}/${family}.json: ${mistake}`);
    }),
  );
}
