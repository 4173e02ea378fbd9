/** A breaker stops what fails, asks again in measured steps, and never stays open for ever. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createBreaker,
  MAX_THROTTLE_MS,
  type Breaker,
  type Verdict,
} from "../../../src/channels/breaker/breaker.ts";

const SETTINGS = { failures: 3, firstCoolDownMs: 1_000, maxCoolDownMs: 8_000, probeMs: 30_000 };
const WELL: Verdict = { kind: "well" };
const UNWELL: Verdict = { kind: "unwell" };
const NOTHING: Verdict = { kind: "nothing" };

const openBreaker = (dice = 1): Breaker => createBreaker(SETTINGS, () => dice);

/** Asks and, where it may, reports at once; true if it might ask. */
function request(breaker: Breaker, verdict: Verdict, now: number): boolean {
  const admission = breaker.admit(now);
  if (admission.kind === "admitted") breaker.report(admission.period, verdict, now);
  return admission.kind === "admitted";
}

function fail(breaker: Breaker, now: number): void {
  for (let count = 0; count < SETTINGS.failures; count += 1) request(breaker, UNWELL, now);
}

describe("a breaker", () => {
  it("lets everything pass until so many in a row have failed", () => {
    const breaker = openBreaker();
    request(breaker, UNWELL, 0);
    request(breaker, UNWELL, 0);
    request(breaker, WELL, 0);
    request(breaker, UNWELL, 0);
    request(breaker, UNWELL, 0);
    expect(breaker.state).toBe("closed");
    request(breaker, UNWELL, 0);
    expect(breaker.state).toBe("open");
    expect(breaker.admit(999)).toEqual({ kind: "held", until: 1_000 });
  });

  it("takes no notice of what says nothing about the provider", () => {
    const breaker = openBreaker();
    request(breaker, UNWELL, 0);
    request(breaker, UNWELL, 0);
    for (let count = 0; count < 50; count += 1) request(breaker, NOTHING, 0);
    expect(breaker.state).toBe("closed");
    request(breaker, UNWELL, 0);
    expect(breaker.state).toBe("open");
  });

  it("lets one probe pass after the cool-down, and all others once that one was well", () => {
    const breaker = openBreaker();
    fail(breaker, 0);
    const probe = breaker.admit(1_000);
    expect(breaker.state).toBe("half_open");
    expect(breaker.admit(1_001)).toMatchObject({ kind: "held" });
    if (probe.kind === "admitted") breaker.report(probe.period, WELL, 1_200);
    expect(breaker.state).toBe("closed");
    expect(breaker.admit(1_201)).toMatchObject({ kind: "admitted" });
  });

  it("takes no word from requests that began before it opened", () => {
    const breaker = openBreaker();
    const early = breaker.admit(0);
    const late = breaker.admit(0);
    fail(breaker, 0);
    const probe = breaker.admit(1_000);
    if (early.kind === "admitted") breaker.report(early.period, WELL, 1_100);
    expect(breaker.state).toBe("half_open");
    expect(breaker.admit(1_100)).toMatchObject({ kind: "held" });
    if (probe.kind === "admitted") breaker.report(probe.period, WELL, 1_200);
    expect(breaker.state).toBe("closed");
    if (late.kind === "admitted") breaker.report(late.period, UNWELL, 1_300);
    request(breaker, UNWELL, 1_300);
    request(breaker, UNWELL, 1_300);
    expect(breaker.state).toBe("closed");
  });

  it("doubles its cool-down with each probe that fails, and begins anew once all is well", () => {
    const breaker = openBreaker();
    let now = 0;
    fail(breaker, now);
    for (const coolDown of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      expect(breaker.admit(now)).toEqual({ kind: "held", until: now + coolDown });
      now += coolDown;
      expect(request(breaker, UNWELL, now)).toBe(true);
    }
    request(breaker, WELL, now + 8_000);
    request(breaker, WELL, now + 8_000);
    fail(breaker, now + 8_000);
    expect(breaker.admit(now + 8_000)).toEqual({ kind: "held", until: now + 9_000 });
  });

  it("lets the next one probe where the first found nothing out, or never came back", () => {
    const breaker = openBreaker();
    fail(breaker, 0);
    expect(request(breaker, NOTHING, 1_000)).toBe(true);
    expect(breaker.admit(1_000).kind).toBe("admitted");
    expect(breaker.admit(1_000 + SETTINGS.probeMs - 1).kind).toBe("held");
    expect(breaker.admit(1_000 + SETTINGS.probeMs).kind).toBe("admitted");
  });

  it("does not believe what was begun before it opened", () => {
    const breaker = openBreaker();
    const early = breaker.admit(0);
    fail(breaker, 0);
    if (early.kind === "admitted") breaker.report(early.period, WELL, 100);
    expect(breaker.state).toBe("open");
  });

  it("keeps a pause that a provider asks for, as long as the longest cool-down", () => {
    const breaker = openBreaker();
    request(breaker, UNWELL, 0);
    request(breaker, UNWELL, 0);
    request(breaker, { kind: "unwell", askedMs: 5_000 }, 0);
    expect(breaker.admit(0)).toEqual({ kind: "held", until: 5_000 });
    const other = openBreaker();
    request(other, UNWELL, 0);
    request(other, UNWELL, 0);
    request(other, { kind: "unwell", askedMs: 3_600_000 }, 0);
    expect(other.admit(0)).toEqual({ kind: "held", until: 8_000 });
  });

  it("holds all back while a provider wants fewer requests, without taking it for broken", () => {
    const breaker = openBreaker();
    for (let count = 0; count < 10; count += 1) {
      request(breaker, { kind: "throttled", askedMs: 2_000 }, 0);
    }
    expect(breaker.state).toBe("closed");
    expect(breaker.admit(1_999)).toEqual({ kind: "held", until: 2_000 });
    expect(breaker.admit(2_000).kind).toBe("admitted");
    request(breaker, { kind: "throttled", askedMs: 3_600_000 }, 2_000);
    expect(breaker.admit(2_000)).toEqual({ kind: "held", until: 2_000 + MAX_THROTTLE_MS });
  });
});

const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(UNWELL) },
  { weight: 3, arbitrary: fc.constant(WELL) },
  { weight: 2, arbitrary: fc.constant(NOTHING) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("unwell" as const, "throttled" as const),
      askedMs: fc.option(fc.nat({ max: 10_000_000 }), { nil: undefined }),
    }),
  },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant("ask" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant("report" as const), which: fc.nat(), verdict }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant("wait" as const), ms: fc.nat({ max: 10_000 }) }),
  },
);
const dice = fc.double({ min: 0, max: 1, noNaN: true });

describe("whatever is asked and reported, in any order,", () => {
  it("one probe is under way at most, waits are bounded, and a provider that is well is used", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), dice, (steps, random) => {
        const breaker = openBreaker(random);
        const underWay: { period: number; at: number; probe: boolean }[] = [];
        let now = 0;
        for (const one of steps) {
          if (one.act === "wait") now += one.ms;
          else if (one.act === "report" && underWay.length > 0) {
            const [taken] = underWay.splice(one.which % underWay.length, 1);
            if (taken !== undefined) breaker.report(taken.period, one.verdict, now);
          } else {
            const admission = breaker.admit(now);
            if (admission.kind === "held") {
              expect(admission.until).toBeGreaterThan(now);
              expect(admission.until).toBeLessThanOrEqual(now + MAX_THROTTLE_MS);
              continue;
            }
            const probe = breaker.state === "half_open";
            // No other that is still waited for.
            if (probe) {
              const probes = underWay.filter(
                (other) => other.probe && other.period === admission.period,
              );
              expect(probes).toEqual([]);
            }
            expect(breaker.state).not.toBe("open");
            underWay.push({ period: admission.period, at: now, probe });
          }
        }
        // From here on the provider is well, and nothing that was under way is heard of again.
        const end = now + MAX_THROTTLE_MS + SETTINGS.probeMs + SETTINGS.maxCoolDownMs;
        while (now < end) {
          request(breaker, WELL, now);
          now += 1_000;
        }
        expect(breaker.state).toBe("closed");
        expect(breaker.isThrottled(now)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
