/** Encryption at rest: readable with the key, and only with the key, and only unaltered. */
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSealing } from "../../src/platform/sealing.ts";

const sealing = createSealing(randomBytes(32));

describe("with a key", () => {
  it("gives back what was sealed, whatever it was", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const text = Buffer.from(bytes).toString("utf8");
        expect(sealing.open(sealing.seal(text))).toBe(text);
      }),
    );
  });

  it("does not show the text, nor that two texts are the same", () => {
    const first = sealing.seal("+46701234567");
    expect(first).not.toContain("46701234567");
    expect(sealing.seal("+46701234567")).not.toBe(first);
  });

  it("refuses a text that was altered anywhere", () => {
    const sealed = sealing.seal("+46701234567");
    const bytes = Buffer.from(sealed.slice(3), "base64");
    for (let index = 0; index < bytes.length; index += 1) {
      const altered = Buffer.from(bytes);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(() => sealing.open(`e1:${altered.toString("base64")}`)).toThrow();
    }
  });

  it("refuses a text that was cut short", () => {
    const sealed = sealing.seal("hello");
    expect(() => sealing.open(sealed.slice(0, 20))).toThrow();
  });

  it("refuses a text sealed with another key", () => {
    const other = createSealing(randomBytes(32));
    expect(() => other.open(sealing.seal("hello"))).toThrow();
  });

  it("reads what was stored before there was a key", () => {
    expect(sealing.open("hello")).toBe("hello");
  });
});

describe("without a key", () => {
  const plain = createSealing(undefined);

  it("keeps texts as they are", () => {
    expect(plain.open(plain.seal("hello"))).toBe("hello");
  });

  it("says what is missing when it meets a sealed text", () => {
    expect(() => plain.open(sealing.seal("hello"))).toThrow("DATA_ENCRYPTION_KEY");
  });
});

describe("with several keys", () => {
  const [older, newer] = [randomBytes(32), randomBytes(32)];
  const before = createSealing(older);
  const between = createSealing(older, newer);
  const after = createSealing(newer, older);

  it("opens what any process of a rotation sealed, at each of its steps", () => {
    for (const sealed of [before, between].map((each) => each.seal("hello"))) {
      expect(before.open(sealed)).toBe("hello");
    }
    for (const sealed of [before, between, after].map((each) => each.seal("hello"))) {
      expect(between.open(sealed)).toBe("hello");
      expect(after.open(sealed)).toBe("hello");
    }
  });

  it("seals with the first alone", () => {
    expect(createSealing(newer).open(after.seal("hello"))).toBe("hello");
    expect(() => before.open(after.seal("hello"))).toThrow("does not hold the key");
  });

  it("seals as the version before did where there is one key", () => {
    expect(before.seal("hello")).toMatch(/^e1:/);
  });

  it("refuses what was altered, or sealed by a newer version", () => {
    const sealed = after.seal("hello");
    expect(() => after.open(sealed.replace(/.{6}$/, "AAAA=="))).toThrow();
    expect(() => after.open("e3:whatever")).toThrow("newer version");
    expect(() => createSealing(undefined).open("e3:whatever")).toThrow("newer version");
  });

  it("finds what was put down under a digest of each", () => {
    expect(after.digests("+46701234567")).toEqual([
      after.digest("+46701234567"),
      before.digest("+46701234567"),
    ]);
  });
});

describe("digests", () => {
  it("are the same for the same value and key, and differ otherwise", () => {
    expect(sealing.digest("+46701234567")).toBe(sealing.digest("+46701234567"));
    expect(sealing.digest("+46701234567")).not.toBe(sealing.digest("+46701234568"));
    expect(createSealing(randomBytes(32)).digest("a")).not.toBe(sealing.digest("a"));
  });
});
