/** What a person who starts the bench is told about what they asked for. */
import { describe, expect, it } from "vitest";
import { parseBenchArguments } from "./arguments.ts";
import { distributionOf } from "./distribution.ts";

describe("the bench's arguments", () => {
  it("mean the documented load when there are none", () => {
    expect(parseBenchArguments([])).toEqual({
      kind: "options",
      options: {
        scenario: "all",
        seconds: 30,
        rate: 200,
        sockets: 1_000,
        records: 20_000,
        json: ".cache/bench.json",
        profile: undefined,
      },
    });
  });

  it("are taken as given", () => {
    const args = "--scenario ramp --seconds 5 --rate 50 --sockets 10 --json a.json --profile p";
    expect(parseBenchArguments(args.split(" "))).toEqual({
      kind: "options",
      options: {
        scenario: "ramp",
        seconds: 5,
        rate: 50,
        sockets: 10,
        records: 20_000,
        json: "a.json",
        profile: "p",
      },
    });
  });

  it.each([
    ["--rate fast", /--rate "fast" must be a whole number from 1 to 20000/],
    ["--rate 0", /--rate "0"/],
    ["--seconds 1.5", /--seconds "1.5"/],
    ["--sockets 999999", /from 1 to 15000/],
    ["--scenario everything", /known: all, steady, ramp, kafka/],
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
