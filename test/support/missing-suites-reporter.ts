/** Says in the very last lines of a run which suites it left out, so that no run passes in silence. */
import type { Reporter } from "vitest/node";

export interface MissingSuites {
  /** Test files, relative to the project. */
  readonly files: readonly string[];
  /** What is missing and what to do about it: "no Chromium: install chromium". */
  readonly reason: string;
}

/** @returns the lines to print; none when every suite ran. */
export function describeMissingSuites(missing: readonly MissingSuites[]): string[] {
  return missing
    .filter(({ files }) => files.length > 0)
    .map(({ files, reason }) => {
      const suites = files.length === 1 ? "1 suite" : `${files.length} suites`;
      return `${suites} did not run: ${files.join(", ")} (${reason})`;
    });
}

/** @param mustRunAll whether a suite left out makes the run fail. */
export function createMissingSuitesReporter(
  missing: readonly MissingSuites[],
  mustRunAll: boolean,
): Reporter {
  const lines = describeMissingSuites(missing);
  return {
    onTestRunEnd() {
      if (lines.length === 0) return;
      if (mustRunAll) process.exitCode = 1;
      // At the exit of the process, because other reporters and the teardown print after this event.
      process.once("exit", () => {
        process.stdout.write(`\n${lines.join("\n")}\n`);
        if (mustRunAll) process.stdout.write("This run requires all suites, so it failed.\n");
      });
    },
  };
}
