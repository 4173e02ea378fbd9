/** Checks one part of a request against its schema and names every fault by its place. */
import type { z } from "zod";
import { issuesOf } from "../platform/problem-issues.ts";
import { Problem, type ProblemIssue } from "../platform/problems.ts";

/** `undefined` without a schema: a handler never sees what nobody described. */
export function validate(
  schema: z.ZodType | undefined,
  value: unknown,
  part: "path" | "query" | "body",
): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = issuesOf(result.error);
  throw new Problem("invalid_request", detailOf(part, errors), { errors });
}

/** The first fault in the detail too: many callers log only that. */
function detailOf(part: string, errors: readonly ProblemIssue[]): string {
  const [first] = errors;
  if (first === undefined) return `The ${part} is not valid.`;
  const where = first.path === "" ? `The ${part}` : `${first.path} in the ${part}`;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${where}: ${first.message}${others}`;
}
