/** Verified tokens are remembered while they live, and take no more memory than those that live. */
import { describe, expect, it } from "vitest";
import { createVerifiedTokens } from "../../src/auth/verified-tokens.ts";
import type { Caller } from "../../src/contract/caller.ts";

const SECOND_MS = 1_000;
const LIFE_MS = 600 * SECOND_MS;
const MOST = 20_000;

function setUp() {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  const caller = (name: string): Caller => ({
    userId: name,
    scopes: new Set(),
    expiresAt: clock.nowMs + LIFE_MS,
  });
  return { clock, caller, tokens: createVerifiedTokens(clock) };
}

describe("verified tokens", () => {
  it("are known until they run out, clocks of issuers allowed for", () => {
    const { clock, caller, tokens } = setUp();
    tokens.keep("a", caller("anna"));

    clock.nowMs = LIFE_MS + 29 * SECOND_MS;
    expect(tokens.find("a")?.userId).toBe("anna");
    clock.nowMs = LIFE_MS + 30 * SECOND_MS;
    expect(tokens.find("a")).toBeUndefined();
    expect(tokens.size).toBe(0);
  });

  it("go when they have run out, though nobody asks for them again", () => {
    const { clock, caller, tokens } = setUp();
    // Ten new ones a second for an hour: each lives for ten minutes.
    for (let number = 0; number < 36_000; number += 1) {
      clock.nowMs = number * 100;
      tokens.keep(`token-${number}`, caller("somebody"));
    }
    expect(tokens.size).toBeLessThanOrEqual((LIFE_MS / SECOND_MS + 30) * 10 + 1);
    expect(tokens.find("token-35999")).toBeDefined();
  });

  it("are as many as a large process has users; then the least recently used one goes", () => {
    const { caller, tokens } = setUp();
    for (let number = 0; number < MOST; number += 1) {
      tokens.keep(`token-${number}`, caller("somebody"));
    }
    expect(tokens.find("token-0")).toBeDefined();
    tokens.keep("one more", caller("somebody"));

    expect(tokens.size).toBe(MOST);
    expect(tokens.find("token-0")).toBeDefined();
    expect(tokens.find("token-1")).toBeUndefined();
  });
});
