/** How the texts of a template are called in the locale files. */

/** Whether anyone may see it, and whether a template can do without it. */
export const TEXT_KINDS = {
  title: { public: false, required: true },
  body: { public: false, required: true },
  public_title: { public: true, required: true },
  public_body: { public: true, required: true },
  sms: { public: true, required: false },
} as const;
export type TextKind = keyof typeof TEXT_KINDS;

/** Entries of a text file that are no template's: buttons, what stands in, answers to STOP and its like. */
export const RESERVED_NAMES: readonly string[] = ["actions", "fallback", "replies"];

/** The deadline has passed; only for templates that count days. */
export const OVERDUE = "overdue";

/** An optional field is absent, so the sentence must do without it. */
export function withoutVariant(field: string): string {
  return `without_${field}`;
}

/**
 * The names under which a text is looked up, most exact first: `body_overdue_without_location`,
 * `body_overdue`, `body_without_location`, `body`. i18next adds the plural form.
 */
export function textNames(kind: TextKind, variants: readonly string[]): string[] {
  const exact = variants.length > 1 ? [variants.join("_")] : [];
  return [...[...exact, ...variants].map((variant) => `${kind}_${variant}`), kind];
}
