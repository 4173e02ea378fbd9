/** What strangers' JSON may not do: nest without end, or bring in a name that changes objects. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_NESTING, readJsonText } from "../../src/platform/json-text.ts";

const nested = (levels: number, inner: string): string =>
  `${'{"a":['.repeat(levels / 2)}${inner}${"]}".repeat(levels / 2)}`;

describe("nesting", () => {
  it("is taken up to the limit, and refused beyond it", () => {
    expect(readJsonText(nested(MAX_NESTING, "")).kind).toBe("value");
    expect(readJsonText(nested(MAX_NESTING, "[]")).kind).toBe("too_deep");
    expect(readJsonText("[".repeat(1_000_000)).kind).toBe("too_deep");
  });

  it("is not what many brackets beside one another are, or brackets in a text", () => {
    const flat = JSON.stringify(Array.from({ length: 5 * MAX_NESTING }, () => ({ a: [] })));
    expect(readJsonText(flat).kind).toBe("value");
    expect(readJsonText(JSON.stringify(["[{".repeat(MAX_NESTING)])).kind).toBe("value");
    expect(readJsonText(nested(MAX_NESTING, `"\\\\\\"[{"`)).kind).toBe("value");
  });
});

describe("the name __proto__", () => {
  it("is found however its letters are written", () => {
    const letters = fc.tuple(
      ...Array.from("__proto__", (letter) => {
        const code = `\\u00${letter.charCodeAt(0).toString(16)}`;
        return fc.constantFrom(letter, code, `\\u00${code.slice(4).toUpperCase()}`);
      }),
    );
    fc.assert(
      fc.property(letters, (spelt) => {
        const reading = readJsonText(`{"data":{"a":[{"${spelt.join("")}":1}]}}`);
        expect(reading).toEqual({ kind: "forbidden_name", path: "data.a.0.__proto__" });
      }),
    );
  });

  it("may be said in a text", () => {
    const value = { text: "__proto__", other: "å" };
    expect(readJsonText(JSON.stringify(value))).toEqual({ kind: "value", value });
    expect(readJsonText(String.raw`{"text":"\u005f\u005fproto__"}`).kind).toBe("value");
  });
});
