/** Where the Firefox is that the push suites drive. */
import { existsSync } from "node:fs";

const DEBIAN_PATH = "/usr/bin/firefox-esr";

/** @returns the program's path, or undefined if there is none: `FIREFOX_PATH`, else Debian's. */
export function findFirefox(): string | undefined {
  const candidate = process.env["FIREFOX_PATH"] ?? DEBIAN_PATH;
  return existsSync(candidate) ? candidate : undefined;
}
