/** How somebody who keeps trying tokens is slowed down, without hurting those beside them. */
import { describe, expect, it } from "vitest";
import { createFailedLogins, type FailedLoginsOptions } from "../../src/auth/failed-logins.ts";

const MINUTE_MS = 60_000;

function setUp(options: Partial<FailedLoginsOptions> = {}) {
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs };
  const alerts: string[] = [];
  const logged: unknown[] = [];
  const logins = createFailedLogins({
    enabled: true,
    clock,
    logger: { warn: (...line: unknown[]) => void logged.push(line) },
    onAlert: (ip) => alerts.push(ip),
    ...options,
  });
  const fail = (ip: string, times: number): void => {
    for (let index = 0; index < times; index += 1) logins.record(ip);
  };
  return { clock, logins, fail, alerts, logged };
}

describe("failed logins", () => {
  it("hold an address back after the tenth, until the first is five minutes old", () => {
    const { clock, logins, fail } = setUp();
    fail("a", 1);
    clock.nowMs += MINUTE_MS;
    fail("a", 8);
    expect(logins.blockedForSeconds("a")).toBe(0);
    fail("a", 1);
    expect(logins.blockedForSeconds("a")).toBe(240);
    clock.nowMs += 4 * MINUTE_MS;
    expect(logins.blockedForSeconds("a")).toBe(0);
  });

  it("do not touch other addresses", () => {
    const { logins, fail } = setUp();
    fail("a", 20);
    expect(logins.blockedForSeconds("b")).toBe(0);
  });

  it("alert the operators once, not with every further try", () => {
    const { fail, alerts, logged } = setUp();
    fail("a", 9);
    expect(alerts).toEqual([]);
    fail("a", 30);
    expect(alerts).toEqual(["a"]);
    expect(logged).toHaveLength(1);
  });

  it("spread over a long time are nothing special", () => {
    const { clock, logins, alerts } = setUp();
    for (let index = 0; index < 50; index += 1) {
      logins.record("a");
      clock.nowMs += MINUTE_MS;
    }
    expect(logins.blockedForSeconds("a")).toBe(0);
    expect(alerts).toEqual([]);
  });

  it("are only counted while limits are off", () => {
    let counted = 0;
    const { logins, fail, alerts } = setUp({ enabled: false, onFailure: () => (counted += 1) });
    fail("a", 50);
    expect(logins.blockedForSeconds("a")).toBe(0);
    expect(alerts).toEqual([]);
    expect(counted).toBe(50);
  });

  it("of a flood of addresses push out the ones quiet for longest", () => {
    const { logins, fail } = setUp();
    fail("busy", 9);
    fail("old", 10);
    fail("busy", 1);
    for (let index = 0; index < 9_999; index += 1) logins.record(`flood-${index}`);
    expect(logins.blockedForSeconds("old")).toBe(0);
    expect(logins.blockedForSeconds("busy")).toBeGreaterThan(0);
  });
});
