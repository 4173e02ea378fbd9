/** How the tests run: one Redis and one Kafka for all, and no suite left out without a word. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { findFaketime } from "./chaos/suite/stage/clock-steps.ts";
import { findChromium } from "./support/chromium.ts";
import { findFirefox } from "./support/firefox.ts";
import { whyNoKafka } from "./support/kafka-obstacle.ts";
import { LongestFirst } from "./support/longest-first.ts";
import { createMissingSuitesReporter } from "./support/missing-suites-reporter.ts";
import { suitesThatImport, suitesThatUseKafka } from "./support/suites-that-import.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const kafkaSuites = suitesThatUseKafka(root);
const noKafka = await whyNoKafka(kafkaSuites, process.argv.slice(2));

const missing = [
  {
    files: findChromium() === undefined ? suitesThatImport("playwright-core", root) : [],
    reason: "no Chromium: install chromium, or set CHROMIUM_PATH",
  },
  {
    files: findFirefox() === undefined ? suitesThatImport("puppeteer-core", root) : [],
    reason: "no Firefox: install firefox-esr, or set FIREFOX_PATH",
  },
  {
    files: findFaketime() === undefined ? ["test/chaos/suite/stage/clock-steps.test.ts"] : [],
    reason: "no libfaketime: install libfaketime",
  },
  { files: noKafka === undefined ? [] : kafkaSuites, reason: noKafka ?? "" },
];

/** Where the counts go that continuous integration reads. */
const report = process.env["SCHOOLBELL_TEST_REPORT"];

export default defineConfig({
  test: {
    root,
    include: ["test/**/*.test.ts"],
    exclude: ["node_modules/**", ...missing.flatMap(({ files }) => files)],
    globalSetup: ["test/support/global-setup.ts"],
    reporters: [
      "default",
      ...(report === undefined
        ? []
        : [["json", { outputFile: report }] satisfies [string, object]]),
      createMissingSuitesReporter(missing, process.env["SCHOOLBELL_REQUIRE_ALL"] === "1"),
    ],
    // Real servers on a small, busy machine: long enough that only a hang runs into them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    teardownTimeout: 15_000,
    // Each worker is a process of its own beside Redis; more would only wait for one another.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
