/** The command says what it understood, and what it did not. */
import { expect, it } from "vitest";
import { parseChaosArguments } from "./arguments.ts";

it("without arguments: one run, whose faults its seed decides", () => {
  expect(parseChaosArguments([])).toMatchObject({
    kind: "options",
    options: { seeds: [1], faults: undefined, times: "short" },
  });
});

it("runs count up from the seed", () => {
  expect(parseChaosArguments(["--seed", "7", "--runs", "3"])).toMatchObject({
    options: { seeds: [7, 8, 9] },
  });
});

it.each([
  ["redis-kill,kill-worker", ["redis-kill", "kill-worker"]],
  ["none", []],
])("--faults %s", (given, faults) => {
  expect(parseChaosArguments(["--faults", given])).toMatchObject({ options: { faults } });
});

it.each([
  [["--seed", "x"], "--seed"],
  [["--runs", "0"], "--runs"],
  [["--faults", "flood"], "flood"],
  [["--times", "long"], "--times"],
  [["--table"], "--file"],
  [["--beside", "HEAD", "--sabotage", "all"], "--beside"],
  [["--sabotage", "resend"], "resend-sms"],
  [["--sabotage", "all", "--runs", "2"], "--runs"],
  [["--sabotage", "all", "--file", "runs.jsonl"], "--file"],
  [["--faults", "cluster-failover"], "--store cluster"],
  [["--faults", "redis-kill", "--store", "cluster"], "redis-kill"],
  [["--sabotage", "reuse-replay-id", "--store", "cluster"], "redis-rollback"],
  [["--colour"], "--colour"],
])("%j is refused with a sentence about %s", (args, word) => {
  const parsed = parseChaosArguments(args);
  expect(parsed.kind).toBe("wrong");
  expect(parsed.kind === "wrong" && parsed.message).toContain(word);
});

it("another revision to run beside this one", () => {
  expect(parseChaosArguments(["--beside", "HEAD~1"])).toMatchObject({
    options: { beside: "HEAD~1" },
  });
});

it("--help", () => {
  expect(parseChaosArguments(["-h"])).toEqual({ kind: "help" });
});
