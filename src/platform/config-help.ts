/** The variables as a table for `npm start -- --help`: meaning, allowed values, default. */
import { z } from "zod";
import { CONFIG_GROUPS } from "./config-schema.ts";

const WIDTH = 100;
const TEXT_COLUMN = 36;

/** Every variable with its meaning, `(what it may be)` and `[its default]`, at most 100 columns. */
export function describeConfig(): string {
  const lines: string[] = [];
  for (const [group, variables] of Object.entries(CONFIG_GROUPS)) {
    lines.push("", group);
    for (const [name, schema] of Object.entries(variables)) {
      const words = wrap(explain(schema), WIDTH - TEXT_COLUMN);
      const label = `  ${name}`;
      // A name that reaches into the words has a line to itself.
      const first = label.length < TEXT_COLUMN ? words.shift() : undefined;
      lines.push((label.padEnd(TEXT_COLUMN) + (first ?? "")).trimEnd());
      for (const other of words) lines.push(" ".repeat(TEXT_COLUMN) + other);
    }
  }
  return lines.join("\n").trimStart();
}

function explain(schema: z.ZodType): string {
  const allowed = allowedOf(schema);
  const preset = defaultOf(schema);
  return [
    schema.description ?? "",
    ...(allowed === undefined ? [] : [`(${allowed})`]),
    ...(preset === undefined ? [] : [`[${preset.join(", ")}]`]),
  ].join(" ");
}

/** What was noted beside the schema that a default or "optional" wraps. */
function allowedOf(schema: unknown): string | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const allowed = schema.meta()?.["allowed"];
  if (typeof allowed === "string") return allowed;
  const wraps =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional;
  return wraps ? allowedOf(schema.def.innerType) : undefined;
}

/** The default in the form in which a person would write it, entry by entry; undefined without one. */
export function defaultOf(schema: z.ZodType): string[] | undefined {
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return undefined;
  const value: unknown = schema.def.defaultValue;
  return Array.isArray(value) && value.length === 0 ? undefined : [value].flat().map(String);
}

/** Breaks at spaces; a longer word has a line to itself. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
