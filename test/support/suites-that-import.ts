/** Which suites need a package or a server, found from what they and the files beside them import. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { importsOf } from "./architecture-rules.ts";

/**
 * @param root the project's folder
 * @returns test files below `test`, relative to `root`, that reach `packageName` by their imports
 */
export function suitesThatImport(packageName: string, root: string): string[] {
  return globSync("test/**/*.test.ts", { cwd: root })
    .filter((file) => reaches(path.join(root, file), packageName, new Set()))
    .sort();
}

/** The suites that open a topic on the run's broker, or start one of their own. */
export function suitesThatUseKafka(root: string): string[] {
  const support = path.join(root, "test/support/kafka.ts");
  return globSync("test/**/*.test.ts", { cwd: root })
    .filter((file) => reaches(path.join(root, file), support, new Set()))
    .sort();
}

/** @param target a package's name or the absolute path of a file */
function reaches(file: string, target: string, seen: Set<string>): boolean {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  return importsOf(readFileSync(file, "utf8")).some((specifier) => {
    if (specifier === target) return true;
    if (!specifier.startsWith(".")) return false;
    const imported = path.resolve(path.dirname(file), specifier);
    return imported === target || reaches(imported, target, seen);
  });
}
