/** Which suites need a package, found from what they and the files beside them import. */
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

function reaches(file: string, packageName: string, seen: Set<string>): boolean {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  return importsOf(readFileSync(file, "utf8")).some((specifier) => {
    if (specifier === packageName) return true;
    if (!specifier.startsWith(".")) return false;
    return reaches(path.resolve(path.dirname(file), specifier), packageName, seen);
  });
}
