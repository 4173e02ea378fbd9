/** Each deliberate break still has its one place in the product. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { applySabotage, isCaught, SABOTAGE_NAMES, SABOTAGES } from "./sabotage.ts";

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

it("is found out by what it breaks, and by nothing else", () => {
  const finding = (promise: "settled" | "counted once") => ({
    promises: [{ promise, checked: 1, violations: ["something is wrong"], excluded: 0 }],
  });
  expect(isCaught(SABOTAGES["count-twice"], finding("counted once"))).toBe(true);
  expect(isCaught(SABOTAGES["count-twice"], finding("settled"))).toBe(false);
  expect(isCaught(SABOTAGES["count-twice"], { promises: [] })).toBe(false);
});
