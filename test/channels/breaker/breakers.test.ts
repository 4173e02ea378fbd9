/** Each provider has a breaker of its own; how they are doing is told in a few words. */
import { beforeEach, describe, expect, it } from "vitest";
import type { BreakerState, Verdict } from "../../../src/channels/breaker/breaker.ts";
import {
  createBreakers,
  MAX_ORIGINS,
  type Breakers,
} from "../../../src/channels/breaker/breakers.ts";
import { createOriginLabels, originOfEndpoint } from "../../../src/channels/breaker/settings.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";

const SETTINGS = { failures: 2, firstCoolDownMs: 1_000, maxCoolDownMs: 8_000, probeMs: 30_000 };
const FCM = "https://fcm.googleapis.com";

let clock: ManualClock;
let breakers: Breakers;
let states: Map<string, BreakerState>;
let lines: unknown[];

beforeEach(() => {
  clock = createManualClock();
  states = new Map();
  lines = [];
  breakers = createBreakers({
    channel: "push",
    settings: SETTINGS,
    clock,
    random: () => 1,
    labelOf: createOriginLabels(["fcm.googleapis.com", "*.push.apple.com"]),
    onState: (label, state) => states.set(label, state),
    logger: createLogger({
      level: "info",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
  });
});

function request(origin: string, kind: Verdict["kind"]): boolean {
  const admission = breakers.admit(origin);
  if (admission.kind === "admitted") breakers.report(origin, admission.period, { kind });
  return admission.kind === "admitted";
}

function breakDown(origin: string): void {
  request(origin, "unwell");
  request(origin, "unwell");
}

describe("several providers", () => {
  it("fail each for itself", () => {
    breakDown(FCM);
    expect(request(FCM, "well")).toBe(false);
    expect(request("https://web.push.apple.com", "well")).toBe(true);
  });

  it("are told of at each change: in the log by name, in metrics by the entry of the list", () => {
    breakDown("https://web.push.apple.com");
    expect(states.get("*.push.apple.com")).toBe("open");
    clock.advance(1_000);
    request("https://web.push.apple.com", "well");
    expect(states.get("*.push.apple.com")).toBe("closed");
    expect(lines).toMatchObject([
      { level: 40, from: "closed", to: "open", origin: "https://web.push.apple.com" },
      { level: 30, from: "open", to: "half_open" },
      { level: 30, from: "half_open", to: "closed" },
    ]);
  });

  it("that share a name in metrics show the worst of them", () => {
    breakDown("https://a.push.apple.com");
    breakDown("https://b.push.apple.com");
    clock.advance(1_000);
    request("https://a.push.apple.com", "well");
    expect(states.get("*.push.apple.com")).toBe("open");
  });

  it("are kept up to a limit; one that fails outlasts those that do not", () => {
    breakDown(FCM);
    for (let index = 0; index < 3 * MAX_ORIGINS; index += 1) {
      request(`https://host-${index}.push.apple.com`, "well");
    }
    expect(request(FCM, "well")).toBe(false);
    expect(states.size).toBeLessThanOrEqual(2);
  });
});

describe("the health of a channel", () => {
  it("is good where nobody was asked, and where all are well", () => {
    expect(breakers.health()).toEqual({ state: "healthy", open: 0 });
    request(FCM, "well");
    expect(breakers.health()).toEqual({ state: "healthy", open: 0 });
  });

  it("is unhealthy where all fail, degraded where some do or are tried out", () => {
    breakDown(FCM);
    expect(breakers.health()).toEqual({ state: "unhealthy", open: 1 });
    request("https://web.push.apple.com", "well");
    expect(breakers.health()).toEqual({ state: "degraded", open: 1 });
    clock.advance(1_000);
    breakers.admit(FCM);
    expect(breakers.health()).toEqual({ state: "degraded", open: 0 });
  });

  it("is degraded while one asks for a pause", () => {
    const admission = breakers.admit(FCM);
    if (admission.kind === "admitted") {
      breakers.report(FCM, admission.period, { kind: "throttled", askedMs: 5_000 });
    }
    expect(breakers.health().state).toBe("degraded");
    clock.advance(5_000);
    expect(breakers.health().state).toBe("healthy");
  });

  it("does not stay bad for a provider that nobody asks any more", () => {
    breakDown(FCM);
    clock.advance(299_000);
    expect(breakers.health().state).toBe("unhealthy");
    clock.advance(2_000);
    expect(breakers.health()).toEqual({ state: "healthy", open: 0 });
    expect(states.get("fcm.googleapis.com")).toBe("closed");
  });
});

describe("the name of an origin in metrics", () => {
  const labelOf = createOriginLabels([
    "FCM.googleapis.com",
    "*.push.apple.com",
    "http://127.0.0.1:9",
  ]);

  it.each([
    ["https://fcm.googleapis.com/fcm/send/secret", "fcm.googleapis.com"],
    ["https://web.push.apple.com/x", "*.push.apple.com"],
    ["http://127.0.0.1:9/push/x", "http://127.0.0.1:9"],
    ["https://elsewhere.example", "other"],
    ["no address", "other"],
  ])("of %s is %s", (endpoint, label) => {
    expect(labelOf(originOfEndpoint(endpoint))).toBe(label);
  });
});
