/** Equal values have equal text, however they were written down. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson } from "../../src/platform/canonical-json.ts";

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

it("does not change with the order of keys, and says what was said", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(reversed(value))).toBe(text);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});

it("changes with the order of a list", () => {
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

it("tells apart values that look alike", () => {
  const texts = [{ a: 1 }, { a: "1" }, { a: null }, {}, [], [null], "{}", { "a:1": null }];
  expect(new Set(texts.map(canonicalJson)).size).toBe(texts.length);
});
