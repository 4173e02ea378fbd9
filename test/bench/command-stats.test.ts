/** Where Redis spends its time decides what is made faster next: its own figures must be read right. */
import { expect, it } from "vitest";
import { parseCommandStats } from "./command-stats.ts";

it("reads what Redis spent on each command, subcommands included", () => {
  const text = [
    "# Commandstats",
    "cmdstat_evalsha:calls=120,usec=4400,usec_per_call=36.67,rejected_calls=0,failed_calls=0",
    "cmdstat_config|set:calls=1,usec=9,usec_per_call=9.00,rejected_calls=0,failed_calls=0",
    "",
  ].join("\r\n");
  expect(parseCommandStats(text)).toEqual([
    { command: "evalsha", calls: 120, us: 4_400 },
    { command: "config|set", calls: 1, us: 9 },
  ]);
});
