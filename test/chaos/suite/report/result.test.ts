/** A batch of hours shall not end with nowhere to write it, nor a table with a stack trace. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WrongUseError } from "../../../support/measuring-command.ts";
import { addResult, openResults, readResults, type RunResult } from "./result.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "schoolbell-results-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const RESULT: RunResult = {
  seed: 7,
  times: "short",
  store: "single",
  faults: ["redis-kill"],
  asked: 1_000,
  promises: [{ promise: "settled", checked: 3_000, violations: [], excluded: 0 }],
  troubles: [],
  recoveries: [],
  durationMs: 60_000,
};

it("keeps what earlier runs wrote", async () => {
  const file = path.join(folder, "runs.jsonl");
  await addResult(file, RESULT);
  await openResults(file);
  await addResult(file, { ...RESULT, seed: 8 });
  expect((await readResults(file)).map(({ seed }) => seed)).toEqual([7, 8]);
});

it("says before the first run that there is no such folder", async () => {
  const file = path.join(folder, "nowhere", "runs.jsonl");
  await expect(openResults(file)).rejects.toThrow(WrongUseError);
});

it.each([
  ["no JSON", "# Notes\n"],
  ["other JSON", '{"seed":1}\n'],
])("names the line that holds %s", async (_, second) => {
  const file = path.join(folder, "strange.jsonl");
  await writeFile(file, "");
  await addResult(file, RESULT);
  await writeFile(file, second, { flag: "a" });
  await expect(readResults(file)).rejects.toThrow(/strange\.jsonl, line 2, is not the result/);
  await expect(readResults(file)).rejects.toThrow(WrongUseError);
});
