/** The templates: read from YAML at start, where any mistake stops the process with its place. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse, YAMLParseError } from "yaml";
import { FAMILIES } from "../contract/vocabulary.ts";
import type { ProblemIssue } from "../platform/problems.ts";
import { HOURS_FIELD, MATTER_FIELD } from "./warning-fields.ts";
import { parseInstant } from "./instant.ts";
import { templateSchema, type Template } from "./template.ts";

/** What a request says beside `data` and templates may ask for under the same name. */
export interface DataContext {
  readonly batch_id?: string | undefined;
  readonly class_id?: string | undefined;
  readonly student_id?: string | undefined;
}

/** Whether a field that does not hold anything is a mistake. */
export type DataRule = "strict" | "lenient";

export interface TemplateRegistry {
  get(id: string): Template | undefined;
  list(): readonly Template[];
  /**
   * What is wrong with `data`, each with its place (`data.meeting_date`); empty when it fits. A
   * field that `data` lacks may come from `context`. Values are never repeated in the messages.
   *
   * `lenient` is for events, whose senders nobody can answer: what is missing, null or blank is no
   * mistake there (the texts have sentences for that), what is of a wrong kind still is.
   */
  checkData(
    template: Template,
    data: Readonly<Record<string, unknown>>,
    context?: DataContext,
    rule?: DataRule,
  ): ProblemIssue[];
}

/** A caller with a hundred mistakes learns enough from the first ones. */
const MAX_ISSUES = 20;

interface Entry {
  readonly template: Template;
  readonly validate: ValidateFunction;
}

function createDataValidator(): Ajv2020 {
  // Verbose errors carry the value, which tells what is wrong from what is merely not there.
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true });
  // The plugin is CommonJS: its function is the module or the module's default, by loader.
  addFormats.default(ajv);
  // Wider than the plugin's own: without an offset is UTC.
  ajv.addFormat("date-time", (text: string) => parseInstant(text) !== null);
  return ajv;
}

function messageOf(error: ErrorObject): string {
  if (error.keyword === "required") return "is required";
  if (error.keyword === "format" && error.params["format"] === "date-time") {
    return "must be a date-time such as 2026-09-15T14:00:00Z";
  }
  return error.message ?? "is not valid";
}

/** Senders write null or nothing for what they do not know. */
function isAbsence(error: ErrorObject): boolean {
  const value: unknown = error.data;
  const blank = value === null || (typeof value === "string" && value.trim() === "");
  return error.keyword === "required" || blank;
}

function issueOf(error: ErrorObject): ProblemIssue {
  const missing: unknown = error.params["missingProperty"];
  const place =
    typeof missing === "string" ? `${error.instancePath}/${missing}` : error.instancePath;
  const steps = place
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return { path: ["data", ...steps].join("."), message: messageOf(error) };
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"), { strict: true, uniqueKeys: true });
  } catch (error) {
    if (error instanceof YAMLParseError) {
      throw new Error(`${file}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function readTemplate(file: string, family: string, ajv: Ajv2020): Entry {
  const parsed = templateSchema.safeParse(readYaml(file));
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(
      ({ path, message }) => `  ${path.length === 0 ? "(file)" : path.join(".")}: ${message}`,
    );
    throw new Error(`${file} is not a template:\n${mistakes.join("\n")}`);
  }
  const template = parsed.data;
  if (template.id !== basename(file, ".yaml")) {
    throw new Error(`${file}: id is ${template.id}, but the file has another name`);
  }
  if (template.family !== family) {
    throw new Error(`${file}: family is ${template.family}, but the folder is ${family}`);
  }
  try {
    return { template, validate: ajv.compile({ ...template.dataSchema }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file}: data: ${reason}`, { cause: error });
  }
}

function readFolder(dir: string, ajv: Ajv2020): Entry[] {
  const families = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return families.flatMap(({ name: family }) => {
    if (!FAMILIES.some((known) => known === family)) {
      throw new Error(`${join(dir, family)}: unknown family; known: ${FAMILIES.join(", ")}`);
    }
    return readdirSync(join(dir, family))
      .filter((name) => name.endsWith(".yaml"))
      .sort()
      .map((name) => readTemplate(join(dir, family, name), family, ajv));
  });
}

/** @throws Error for a question or answer that names a template no warning can be made with. */
function assertWarnings(templates: readonly Template[]): void {
  for (const { id, warning, cancels } of templates) {
    const named = warning?.template ?? cancels;
    if (named === undefined) continue;
    const meant = templates.find((template) => template.id === named);
    const fields = meant?.dataSchema.properties ?? {};
    if (meant?.deadline === undefined || !(MATTER_FIELD in fields) || !(HOURS_FIELD in fields)) {
      throw new Error(
        `${id}: ${named} is not a template with a deadline, ${MATTER_FIELD} and ${HOURS_FIELD}`,
      );
    }
  }
}

const CONTEXT_FIELDS = ["batch_id", "class_id", "student_id"] as const;

function withContext(
  data: Readonly<Record<string, unknown>>,
  context: DataContext,
): Readonly<Record<string, unknown>> {
  // Whole requests are given: nothing else of them may stand in for what the data lacks.
  const lacking = CONTEXT_FIELDS.filter(
    (name) => context[name] !== undefined && !Object.hasOwn(data, name),
  );
  if (lacking.length === 0) return data;
  const filled: Record<string, unknown> = { ...data };
  for (const name of lacking) filled[name] = context[name];
  return filled;
}

/**
 * Reads `<dir>/<family>/<id>.yaml`. Templates of `extraDir` are added, or take the place of those
 * with the same id.
 * @throws Error naming the file and the field of the first file that is wrong.
 */
export function loadTemplates(from: {
  readonly dir: string;
  readonly extraDir?: string | undefined;
}): TemplateRegistry {
  const folders = from.extraDir === undefined ? [from.dir] : [from.dir, from.extraDir];
  const entries = new Map<string, Entry>();
  for (const folder of folders) {
    const ids = new Set<string>();
    for (const entry of readFolder(folder, createDataValidator())) {
      const { id } = entry.template;
      if (ids.has(id)) throw new Error(`${folder}: ${id} is there twice`);
      ids.add(id);
      entries.set(id, entry);
    }
  }

  assertWarnings([...entries.values()].map(({ template }) => template));

  return {
    get: (id) => entries.get(id)?.template,
    list: () => [...entries.values()].map(({ template }) => template),
    checkData(template, data, context = {}, rule = "strict") {
      const entry = entries.get(template.id);
      if (entry === undefined) throw new Error(`${template.id} is not a template of this registry`);
      if (entry.validate(withContext(data, context))) return [];
      const errors = entry.validate.errors ?? [];
      const counted = rule === "strict" ? errors : errors.filter((error) => !isAbsence(error));
      return counted.slice(0, MAX_ISSUES).map(issueOf);
    },
  };
}
