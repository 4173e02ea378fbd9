/** Mistakes in a template that no field shows on its own: names no field has, links that lack a part. */
import { MATTER_FIELD } from "./warning-fields.ts";
import { placeholdersOf } from "./url-pattern.ts";

export interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

/** The fields of a parsed template file that must agree with one another. */
export interface TemplateParts {
  readonly data: {
    readonly required: readonly string[];
    readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  readonly public_fields: readonly string[];
  readonly variants: readonly string[];
  readonly plural?: string | undefined;
  readonly collapse?: string | undefined;
  readonly deadline?: { readonly field: string } | undefined;
  readonly warning?: { readonly template: string } | undefined;
  readonly cancels?: string | undefined;
  readonly expirable: boolean;
  readonly push_ttl: string;
  readonly url: readonly string[];
  readonly actions: readonly { readonly url: string }[];
}

/** Counts down to the deadline even where no sender says it: see `text-values.ts`. */
const COMPUTED_PLURAL = "days_remaining";

function unknownFields(file: TemplateParts): Contradiction[] {
  const { properties, required } = file.data;
  const found: Contradiction[] = [];
  const expectField = (name: string, path: (string | number)[]): void => {
    if (properties[name] === undefined) found.push({ path, message: `${name} is not in data` });
  };
  required.forEach((name, at) => expectField(name, ["data", "required", at]));
  file.public_fields.forEach((name, at) => expectField(name, ["public_fields", at]));
  file.variants.forEach((name, at) => expectField(name, ["variants", at]));
  if (file.plural !== undefined && file.plural !== COMPUTED_PLURAL) {
    expectField(file.plural, ["plural"]);
  }
  if (file.deadline !== undefined) expectField(file.deadline.field, ["deadline", "field"]);
  if (file.warning !== undefined) expectField(MATTER_FIELD, ["warning"]);
  if (file.cancels !== undefined) expectField(MATTER_FIELD, ["cancels"]);
  return found;
}

function fieldMistakes(file: TemplateParts): Contradiction[] {
  const { properties, required } = file.data;
  const found: Contradiction[] = [];
  file.variants.forEach((name, at) => {
    if (!required.includes(name)) return;
    found.push({ path: ["variants", at], message: `${name} is required, so it is never absent` });
  });
  if (file.deadline === undefined) {
    const message = "needs a deadline";
    if (file.expirable) found.push({ path: ["expirable"], message });
    if (file.push_ttl === "deadline") found.push({ path: ["push_ttl"], message });
    if (file.warning !== undefined) found.push({ path: ["warning"], message });
  }
  if (file.warning !== undefined && file.cancels !== undefined) {
    found.push({ path: ["cancels"], message: "a template asks or answers, not both" });
  }
  const isDate = (name: string): boolean => properties[name]?.["format"] === "date-time";
  for (const name of Object.keys(properties)) {
    if (!name.endsWith("_date") || isDate(name)) continue;
    found.push({ path: ["data", "properties", name], message: "must have format: date-time" });
  }
  const due = file.deadline?.field;
  if (due !== undefined && properties[due] !== undefined && !isDate(due)) {
    found.push({ path: ["deadline", "field"], message: `${due} must have format: date-time` });
  }
  return found;
}

function linkMistakes(file: TemplateParts): Contradiction[] {
  const found: Contradiction[] = [];
  const patterns: { path: (string | number)[]; pattern: string }[] = [
    ...file.url.map((pattern, at) => ({ path: ["url", at], pattern })),
    ...file.actions.map(({ url }, at) => ({ path: ["actions", at, "url"], pattern: url })),
    ...(file.collapse === undefined ? [] : [{ path: ["collapse"], pattern: file.collapse }]),
  ];
  for (const { path, pattern } of patterns) {
    for (const name of placeholdersOf(pattern)) {
      if (file.public_fields.includes(name)) continue;
      found.push({ path, message: `${name} leaves the socket here, so it must be public` });
    }
  }
  const last = file.url.at(-1) ?? "";
  const optional = placeholdersOf(last).filter((name) => !file.data.required.includes(name));
  if (optional.length > 0) {
    found.push({
      path: ["url"],
      message: `${optional.join(", ")} may be absent: add a last pattern that works without`,
    });
  }
  return found;
}

/** Every disagreement between the parts of a template file, with its place in the file. */
export function contradictions(file: TemplateParts): Contradiction[] {
  return [...unknownFields(file), ...fieldMistakes(file), ...linkMistakes(file)];
}
