/** What a process sealed itself is opened from memory: once, unaltered, and never without its bound. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSealMemo } from "../../src/platform/seal-memo.ts";
import { createSealing } from "../../src/platform/sealing.ts";

const MAX_KEPT = 1_000;

function memoAndCount() {
  const sealing = createSealing(randomBytes(32));
  const deciphered: string[] = [];
  const memo = createSealMemo({
    ...sealing,
    open(sealed) {
      deciphered.push(sealed);
      return sealing.open(sealed);
    },
  });
  return { sealing, memo, deciphered };
}

describe("what this process has sealed", () => {
  it("is given back once without deciphering, and afterwards like any other", () => {
    const { memo, deciphered } = memoAndCount();
    const sealed = memo.seal("Room change");
    expect(memo.open(sealed)).toBe("Room change");
    expect(deciphered).toEqual([]);
    expect(memo.open(sealed)).toBe("Room change");
    expect(deciphered).toEqual([sealed]);
  });

  it("can be opened by another process, and what that one sealed here", () => {
    const { sealing, memo } = memoAndCount();
    expect(sealing.open(memo.seal("Room change"))).toBe("Room change");
    expect(memo.open(sealing.seal("Room change"))).toBe("Room change");
  });

  it("is refused when it was altered on its way, wherever that was", () => {
    const { memo } = memoAndCount();
    for (const at of [5, 25, 40]) {
      const sealed = memo.seal("Room change for the next lesson");
      const letter = sealed[at] === "A" ? "B" : "A";
      const altered = sealed.slice(0, at) + letter + sealed.slice(at + 1);
      expect(() => memo.open(altered)).toThrow();
    }
  });

  it("makes room for what comes later when nobody asks for it", () => {
    const { memo, deciphered } = memoAndCount();
    const first = memo.seal("first");
    const later = Array.from({ length: MAX_KEPT }, (_, at) => memo.seal(`later ${at}`));
    later.forEach((sealed, at) => expect(memo.open(sealed)).toBe(`later ${at}`));
    expect(deciphered).toEqual([]);
    expect(memo.open(first)).toBe("first");
    expect(deciphered).toEqual([first]);
  });

  it("is as little as it may be where frames are large", () => {
    const { memo, deciphered } = memoAndCount();
    const large = "x".repeat(1_000_000);
    const sealed = Array.from({ length: 20 }, () => memo.seal(large));
    for (const one of sealed.toReversed()) expect(memo.open(one)).toBe(large);
    // Of 16 million characters each takes 2.3.
    expect(deciphered).toEqual(sealed.slice(0, 14).toReversed());
    // What was given back makes room again, and what is too large by itself is not kept at all.
    expect(memo.open(memo.seal("Room change"))).toBe("Room change");
    expect(deciphered).toHaveLength(14);
    const huge = memo.seal("x".repeat(8_000_000));
    expect(memo.open(huge)).toHaveLength(8_000_000);
    expect(deciphered.at(-1)).toBe(huge);
  });
});
