/** Where the browser is that the browser suites drive. */
import { existsSync } from "node:fs";

const DEBIAN_PATH = "/usr/bin/chromium";

/** @returns the program's path, or undefined if there is none: `CHROMIUM_PATH`, else Debian's. */
export function findChromium(): string | undefined {
  const candidate = process.env["CHROMIUM_PATH"] ?? DEBIAN_PATH;
  return existsSync(candidate) ? candidate : undefined;
}
