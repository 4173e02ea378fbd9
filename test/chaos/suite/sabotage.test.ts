/** Each deliberate break still has its one place in the product. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { applySabotage, SABOTAGE_NAMES, SABOTAGES } from "./sabotage.ts";

const ROOT = new URL("../../../", import.meta.url);

describe.each(SABOTAGE_NAMES)("%s", (name) => {
  it("changes the product", async () => {
    const sabotage = SABOTAGES[name];
    const text = await readFile(new URL(sabotage.file, ROOT), "utf8");
    expect(applySabotage(text, sabotage)).not.toBe(text);
  });
});

it("says so where the product has moved on", () => {
  const sabotage = { ...SABOTAGES["drop-due-entry"], find: "no such line\n" };
  expect(() => applySabotage("some\nlines\n", sabotage)).toThrow("0 places");
});
