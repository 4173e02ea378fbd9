/** What a schema found wrong, as a problem document lists it. */
import type { z } from "zod";
import type { ProblemIssue } from "./problems.ts";

/** zod's words for what is not there name types of a language that the caller may not speak. */
const ABSENT = /^Invalid input: expected .*, received undefined$/;

/** One entry for each fault: its place, dotted, and what is expected there. */
export function issuesOf({ issues }: Pick<z.ZodError, "issues">): ProblemIssue[] {
  return issues.map(({ path, message }) => ({
    path: path.map(String).join("."),
    message: ABSENT.test(message) ? "is required" : message,
  }));
}
