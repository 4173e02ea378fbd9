/** When a browser that nobody opens is warned about and given up: never unwarned, never for ever. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attentionOf, expiresAt } from "../../src/channels/push/subscription-life.ts";

const DAY_MS = 86_400_000;
const TIMES = { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS };
const SEEN = Date.UTC(2026, 0, 1);

const day = (count: number): number => SEEN + count * DAY_MS;

describe("a browser that was last seen on day 0", () => {
  it("is left alone until day 46", () => {
    expect(attentionOf({ lastSeenAt: SEEN }, TIMES, day(45.9))).toEqual({
      kind: "wait",
      until: day(46),
    });
  });

  it("is warned about on day 46, naming day 60", () => {
    const attention = attentionOf({ lastSeenAt: SEEN }, TIMES, day(46));
    expect(attention).toEqual({ kind: "warn", expiresAt: day(60) });
  });

  it("is given up on day 60", () => {
    const warned = { lastSeenAt: SEEN, warnedAt: day(46) };
    expect(attentionOf(warned, TIMES, day(59.9))).toEqual({ kind: "wait", until: day(60) });
    expect(attentionOf(warned, TIMES, day(60))).toEqual({ kind: "remove", why: "stale" });
  });

  it("that an older version left behind for a year still gets its two weeks", () => {
    expect(attentionOf({ lastSeenAt: SEEN }, TIMES, day(365))).toEqual({
      kind: "warn",
      expiresAt: day(379),
    });
    const warned = { lastSeenAt: SEEN, warnedAt: day(365) };
    expect(attentionOf(warned, TIMES, day(378)).kind).toBe("wait");
    expect(attentionOf(warned, TIMES, day(379))).toEqual({ kind: "remove", why: "stale" });
  });

  it("goes at once when its own time is over", () => {
    const short = { lastSeenAt: SEEN, expirationTime: day(3) };
    expect(attentionOf(short, TIMES, day(2))).toEqual({ kind: "wait", until: day(3) });
    expect(attentionOf(short, TIMES, day(3))).toEqual({ kind: "remove", why: "expired" });
    expect(expiresAt(short, TIMES, day(1))).toBe(day(3));
  });
});

describe("whatever the settings and the past are", () => {
  const anyLife = fc.record({
    staleMs: fc.integer({ min: 2, max: 1_000 }),
    lateMs: fc.integer({ min: 0, max: 5_000 }),
    share: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    stepMs: fc.integer({ min: 1, max: 200 }),
  });

  it("the person is warned exactly once, in full time, before the browser is given up", () => {
    fc.assert(
      fc.property(anyLife, ({ staleMs, lateMs, share, stepMs }) => {
        const warningMs = Math.max(1, Math.min(staleMs - 1, Math.floor(staleMs * share)));
        const times = { staleMs, warningMs };
        let stored: { lastSeenAt: number; warnedAt?: number } = { lastSeenAt: SEEN };
        let now = SEEN + lateMs;
        let promised = 0;
        for (let looks = 0; looks < 100; looks += 1) {
          const attention = attentionOf(stored, times, now);
          if (attention.kind === "remove") {
            expect(now).toBeGreaterThanOrEqual(promised);
            expect(promised).toBeGreaterThanOrEqual((stored.warnedAt ?? Infinity) + warningMs);
            return;
          }
          if (attention.kind === "warn") {
            expect(promised).toBe(0);
            promised = attention.expiresAt;
            stored = { ...stored, warnedAt: now };
          } else {
            expect(attention.until).toBeGreaterThan(now);
            now = attention.until + stepMs;
          }
        }
        throw new Error("it never came to an end");
      }),
    );
  });
});
