/** docs/LIMITS.md quotes limits from the code and from the configuration; here it is held to both. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { defaultOf } from "../src/platform/config-help.ts";
import { CONFIG_GROUPS } from "../src/platform/config-schema.ts";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const page = readFileSync(new URL("../docs/LIMITS.md", import.meta.url), "utf8");

/** A file in backquotes, and behind it the constants that are quoted from it. */
const FILE = /`([a-z-]+\/[\w./-]+\.(?:ts|lua))`((?:,? ?`\w+(?:: [^`]+| = [^`]+)`)*)/g;
const QUOTE = /`(\w+(?:: [^`]+| = [^`]+))`/g;
/** A variable, and its default in brackets. */
const VARIABLE = /`([A-Z][A-Z_]+)` \((\d+)\)/g;
/** Constants that bound what is kept in memory, by their names. */
const BUFFER =
  /^(?:export )?const (MAX_(?:ADDRESSES|BUFFERED|CACHED|ENTRIES|GATHERED|IN_FLIGHT|KEPT|LARGE|NOTES|OPEN|ORIGINS|SENT_NOTES|TALLIES|WAITING)\w*) = /gm;

const read = (file: string): string => readFileSync(`${SRC}/${file}`, "utf8");

const quoted = [...page.matchAll(FILE)].flatMap(([, file = "", quotes = ""]) =>
  [...quotes.matchAll(QUOTE)].map(([, text = ""]) => ({ file, text })),
);

describe("docs/LIMITS.md", () => {
  it("quotes what stands in the code", () => {
    expect(quoted.length).toBeGreaterThan(50);
    const wrong = quoted.filter(({ file, text }) => !read(file).includes(text));
    expect(wrong).toEqual([]);
  });

  it("names only files that there are", () => {
    for (const [, file = ""] of page.matchAll(FILE)) expect(() => read(file), file).not.toThrow();
  });

  it("gives variables the defaults that they have", () => {
    const variables = new Map(
      Object.values(CONFIG_GROUPS).flatMap((group) =>
        Object.entries(group).map(
          ([name, schema]) => [name, defaultOf(schema)?.join(",")] as const,
        ),
      ),
    );
    const shown = [...page.matchAll(VARIABLE)];
    expect(shown.length).toBeGreaterThan(10);
    for (const [, name = "", value] of shown) expect(variables.get(name), name).toBe(value);
  });

  it("has every constant that is named as the bound of a buffer", () => {
    const files = globSync("**/*.ts", { cwd: SRC }).filter(
      (file) => !/^(browser|cli)\//.test(file),
    );
    const bounds = files.flatMap((file) =>
      [...read(file).matchAll(BUFFER)].map(([, name = ""]) => ({ file, name })),
    );
    const absent = bounds.filter(
      ({ file, name }) => !quoted.some((one) => one.file === file && one.text.startsWith(name)),
    );
    expect(absent).toEqual([]);
  });
});
