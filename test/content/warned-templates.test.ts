/** Templates that ask with a deadline or answer: what they name must be there. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadTemplates } from "../../src/content/registry.ts";
import { templates, TEMPLATES_DIR } from "./fixtures.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The shipped templates, with one of them changed. */
function loadWith(file: string, change: (yaml: string) => string) {
  const dir = mkdtempSync(join(tmpdir(), "templates-"));
  folders.push(dir);
  cpSync(TEMPLATES_DIR, dir, { recursive: true });
  const path = join(dir, file);
  const before = readFileSync(path, "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
  return loadTemplates({ dir });
}

const QUESTION = "teacher/student_matching_confirmation_required.yaml";
const WARNING = "teacher/student_matching_deadline_approaching.yaml";

describe("a question that is warned of", () => {
  it("and its answers are exactly these", () => {
    const named = templates
      .list()
      .flatMap(({ id, warning, cancels }) =>
        warning === undefined && cancels === undefined
          ? []
          : [`${id} ${warning === undefined ? "cancels" : `-${warning.hoursBefore} h`}`],
      );
    expect(named.toSorted()).toEqual([
      "batch_students_associated cancels",
      "student_associations_confirmed cancels",
      "student_matches_suggested -4 h",
      "student_matching_confirmation_required -4 h",
      "student_matching_deadline_approaching cancels",
    ]);
  });

  it.each([
    ["a warning that is no template", "deadline_approaching, hours", "deadline_approching, hours"],
    ["a warning without a deadline", "student_matching_deadline_approaching", "class_created"],
    ["no time before the deadline", "hours_before: 4", "hours_before: 0"],
    ["an answer in one with it", "dedupe_family:", "cancels: class_created\ndedupe_family:"],
    ["no deadline", /^(deadline|expirable|push_ttl):.*\n/gm, ""],
  ])("is refused with %s", (_what, from, to) => {
    const change = (yaml: string): string => yaml.replace(from, to);
    expect(() => loadWith(QUESTION, change)).toThrow(/student_matching_\w+required/);
  });

  it("is refused with a warning that cannot say how much time is left", () => {
    const change = (yaml: string): string => yaml.replaceAll("hours_remaining", "hours_left");
    expect(() => loadWith(WARNING, change)).toThrow("hours_remaining");
  });

  it("must be about a batch", () => {
    const change = (yaml: string): string =>
      yaml.replaceAll(/batch_id/g, "pile_id").replace("required: [pile_id, ", "required: [");
    expect(() => loadWith(WARNING, change)).toThrow("cancels: batch_id is not in data");
  });
});
