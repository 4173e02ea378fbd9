/** What a person who starts the bench is told about what they asked for. */
import { describe, expect, it } from "vitest";
import { parseBenchArguments } from "./arguments.ts";
import { distributionOf } from "./distribution.ts";

const DEFAULTS = {
  seconds: undefined,
  sockets: undefined,
  events: 60_000,
  users: 1_000_000,
  rounds: 5,
  json: ".cache/bench.json",
  profile: undefined,
};

describe("the bench's arguments", () => {
  it("mean every scenario, each as long as it needs, when there are none", () => {
    expect(parseBenchArguments([])).toEqual({
      kind: "options",
      options: {
        ...DEFAULTS,
        scenarios: [
          "rest",
          "bulk",
          "kafka",
          "idle",
          "critical",
          "replay",
          "push",
          "growth",
          "memory",
          "steps",
        ],
      },
    });
  });

  it("are taken as given", () => {
    const args =
      "--scenario growth --seconds 5 --sockets 10 --events 99 --users 70 --rounds 3 " +
      "--json a.json --profile p";
    expect(parseBenchArguments(args.split(" "))).toEqual({
      kind: "options",
      options: {
        scenarios: ["growth"],
        seconds: 5,
        sockets: 10,
        events: 99,
        users: 70,
        rounds: 3,
        json: "a.json",
        profile: "p",
      },
    });
  });

  it("name several scenarios in one list or one by one; they run in the order of the bench", () => {
    expect(parseBenchArguments("--scenario steps,rest --scenario bulk".split(" "))).toMatchObject({
      options: { scenarios: ["rest", "bulk", "steps"] },
    });
  });

  it.each([
    ["--seconds fast", /--seconds "fast" must be a whole number from 1 to 3600/],
    ["--events 0", /--events "0"/],
    ["--seconds 1.5", /--seconds "1.5"/],
    ["--sockets 999999", /from 1 to 15000/],
    ["--scenario rest,everything", /"everything" is unknown; known: rest, bulk, kafka/],
    ["--scenario=", /"" is unknown/],
    ["--json=", /must not be empty/],
    ["--speed 3", /--speed/],
    ["200", /200/],
  ])("are refused with the reason: %s", (text, reason) => {
    const parsed = parseBenchArguments(text.split(" "));
    expect(parsed).toMatchObject({ kind: "wrong", message: expect.stringMatching(reason) });
  });
});

describe("percentiles", () => {
  it("are values that were measured, by nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect(distributionOf(values)).toEqual({ count: 200, p50: 100, p95: 190, p99: 198, max: 200 });
  });

  it("of nothing are zero", () => {
    expect(distributionOf([])).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });
});
