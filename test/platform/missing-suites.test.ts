/** A run that leaves suites out says so in its last lines, and fails where all must run. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { describeMissingSuites } from "../support/missing-suites-reporter.ts";
import { suitesThatImport, suitesThatUseKafka } from "../support/suites-that-import.ts";

const REASON = "no Chromium: install chromium";

/** A run as the reporter sees it: it ends, and others go on printing. */
const RUN = `
  import { createMissingSuitesReporter } from ${JSON.stringify(new URL("../support/missing-suites-reporter.ts", import.meta.url))};
  const [files, mustRunAll] = JSON.parse(process.env.TEST_RUN);
  const missing = [{ files, reason: ${JSON.stringify(REASON)} }];
  createMissingSuitesReporter(missing, mustRunAll).onTestRunEnd();
  setImmediate(() => console.log("Duration 1 s"));
`;

async function run(files: string[], mustRunAll: boolean) {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", RUN], {
    env: { PATH: process.env["PATH"] ?? "", TEST_RUN: JSON.stringify([files, mustRunAll]) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, lines: output.trimEnd().split("\n") };
}

describe("suites that could not run", () => {
  it("are named in the very last line", async () => {
    const { code, lines } = await run(["test/browser/page.test.ts"], false);
    expect(code).toBe(0);
    expect(lines.at(-1)).toBe(`1 suite did not run: test/browser/page.test.ts (${REASON})`);
  });

  it("fail a run that requires all", async () => {
    const { code, lines } = await run(["test/browser/page.test.ts"], true);
    expect(code).toBe(1);
    expect(lines.at(-2)).toContain("did not run");
    expect(lines.at(-1)).toContain("failed");
  });

  it("are not spoken of when there are none", async () => {
    expect(await run([], true)).toEqual({ code: 0, lines: ["Duration 1 s"] });
  });

  it("are counted in words", () => {
    const files = ["a.test.ts", "b.test.ts"];
    expect(describeMissingSuites([{ files, reason: REASON }])).toEqual([
      `2 suites did not run: a.test.ts, b.test.ts (${REASON})`,
    ]);
  });

  it("are found by what they import, also by way of another file", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const suites = suitesThatImport("ioredis", root);
    expect(suites).toContain("test/platform/embedded-redis.test.ts");
    expect(suites).not.toContain("test/platform/sealing.test.ts");
    expect(suitesThatImport("jose", root)).toContain("test/cli/token.test.ts");
  });

  it("are those that open a topic, where there is no Kafka, and no others", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const suites = suitesThatUseKafka(root);
    expect(suites).toContain("test/platform/kafka/consumer.test.ts");
    expect(suites).not.toContain("test/platform/kafka/partition-reader.test.ts");
  });
});
