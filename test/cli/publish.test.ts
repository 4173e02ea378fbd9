/** Writing events to a topic from the command line, as a person tries out what services would send. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { runCli } from "./run-cli.ts";

let kafka: TestKafka;
let folder: string;

beforeAll(async () => {
  kafka = await openTestKafka();
  folder = await mkdtemp(path.join(tmpdir(), "schoolbell-publish-"));
});
afterAll(async () => {
  await kafka.close();
  await rm(folder, { recursive: true });
});

const environment = () => ({
  KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
  KAFKA_TOPIC_PREFIX: kafka.prefix,
});

it("writes each line as a record, in order, to a topic that need not be there yet", async () => {
  const file = path.join(folder, "events.jsonl");
  const lines = Array.from({ length: 1_203 }, (_, number) => JSON.stringify({ number }));
  await writeFile(file, `${lines.join("\r\n")}\n\n`);

  const args = ["publish", "notifications.requested.v1", file, "--key", "teacher-1"];
  const result = await runCli("schoolbell", args, environment());
  const topic = `${kafka.prefix}notifications.requested.v1`;
  expect(result).toEqual({ code: 0, stdout: `1203 records are in ${topic}.\n`, stderr: "" });
  const records = await kafka.readAll(topic);
  expect(records.map(({ value }) => String(value))).toEqual(lines);
  expect(new Set(records.map(({ key }) => String(key)))).toEqual(new Set(["teacher-1"]));
});

it("says when nobody reads what was written", async () => {
  const file = path.join(folder, "one.jsonl");
  await writeFile(file, "{}");
  const result = await runCli("schoolbell", ["publish", "notification.v1", file], environment());
  expect(result.code).toBe(0);
  expect(result.stderr).toContain(`Nothing here reads ${kafka.prefix}notification.v1`);
});

it("takes a line that is not JSON for a mistake, unless that is what is to be tried", async () => {
  const file = path.join(folder, "broken.jsonl");
  await writeFile(file, '{"one":1}\n{"two":\n2}\n');
  const args = ["publish", "notifications.requested.v1", file];
  const topic = `${kafka.prefix}notifications.requested.v1`;
  const before = (await kafka.readAll(topic)).length;

  const refused = await runCli("schoolbell", args, environment());
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Line 2 is not JSON");
  expect(refused.stderr).toContain(`1 records before it are in ${topic}`);
  expect(await kafka.readAll(topic)).toHaveLength(before + 1);

  const taken = await runCli("schoolbell", [...args, "--anything"], environment());
  expect(taken).toMatchObject({ code: 0, stdout: `3 records are in ${topic}.\n` });
});

it.each([
  ["a file that is not there", ["publish", "x", "/nowhere/at-all.jsonl"], 1, "cannot be read"],
  ["no topic", ["publish"], 2, "missing required argument 'topic'"],
])("says in one line what is wrong: %s", async (_what, args, code, words) => {
  const result = await runCli("schoolbell", args, environment());
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(words);
  expect(result.stderr).not.toContain("    at ");
});

it("says what to set where no Kafka is", async () => {
  const result = await runCli("schoolbell", ["publish", "x"], {});
  expect(result.code).toBe(2);
  expect(result.stderr).toContain("KAFKA_BOOTSTRAP_SERVERS is not set");
});
