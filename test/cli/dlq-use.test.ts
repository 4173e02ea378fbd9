/** `dlq` used wrongly or asked for help: words that lead on, and nothing is touched. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readSelection, type SelectionOptions } from "../../src/cli/dead-letters/selection.ts";
import { WrongUse } from "../../src/cli/run-command.ts";
import { DEAD_LETTER_REASONS } from "../../src/platform/kafka/dead-letters.ts";
import { REASONS } from "../../src/contract/vocabulary.ts";
import { startEmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { runCli } from "./run-cli.ts";

describe("help", () => {
  it.each([
    [[], ["dlq", "keys", "token"]],
    [["dlq"], ["list", "show", "redrive", "events", "notifications"]],
    [
      ["dlq", "list"],
      ["--limit", "--reason", "--topic", "--kind", "--json"],
    ],
    [
      ["dlq", "show"],
      ["--payload", "personal data"],
    ],
    [
      ["dlq", "redrive"],
      ["--all", "--again", "--yes", "--channels"],
    ],
    [["keys"], ["umask 077"]],
    [["token"], ["--ttl"]],
  ])("of %j fits a terminal and names what there is", async (path, words) => {
    const { code, stdout, stderr } = await runCli("schoolbell", [...path, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const word of words) expect(stdout).toContain(word);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each([[[]], [["dlq"]]])("is what a bare %j gets, as wrong use", async (path) => {
    const { code, stdout, stderr } = await runCli("schoolbell", path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: npm run schoolbell --");
  });
});

describe("a wrong use", () => {
  it.each([
    [["dlq", "lst"], "unknown command 'lst' (Did you mean list?)"],
    [["dlq", "list", "--kind", "letters"], "argument 'letters' is invalid. Allowed choices are"],
    [["dlq", "list", "--limit", "0"], "It must be a whole number from 1 to 10000."],
    [
      ["dlq", "list", "--reason", "bad_luck"],
      '--reason "bad_luck" is none; of events: invalid_json',
    ],
    [["dlq", "show"], "missing required argument 'id'"],
    [["dlq", "show", "12"], '"12" is no dead letter: an event is partition:offset, such as 0:12'],
    [["dlq", "redrive"], "Which? Name them"],
    [["dlq", "redrive", "0:1", "--all"], "Name dead letters or select them by options, not both."],
    [
      ["dlq", "redrive", "0:1", "--channels", "fax"],
      "It must be a comma list of websocket, push, sms.",
    ],
  ])("%j is answered in one line, and where to read on", async (args, words) => {
    const { code, stdout, stderr } = await runCli("schoolbell", args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const [line = "", hint = "", ...rest] = stderr.split("\n");
    expect(line).toContain(words);
    expect(hint).toMatch(/^npm run schoolbell -- dlq.* --help says how it is used\.$/);
    expect(rest).toEqual([""]);
  });

  it("is to set a variable wrongly", async () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: "kafka" };
    const { code, stderr } = await runCli("schoolbell", ["dlq", "list"], env);
    expect(code).toBe(2);
    expect(stderr).toContain("KAFKA_BOOTSTRAP_SERVERS: must be host:port");
    expect(stderr).not.toContain("    at ");
  });
});

it("finds the Redis of a Schoolbell that runs on the same data folder", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-dlq-"));
  const redis = await startEmbeddedRedis({
    dataDir,
    appendOnly: false,
    logger: createSilentLogger(),
    announce: () => {},
  });
  try {
    const { code, stdout } = await runCli("schoolbell", ["dlq", "list"], { DATA_DIR: dataDir });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Notifications: none that failed.\n" });
  } finally {
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});

const isOfOneKind = (reason: string): boolean => reason !== "poison";

describe("a selection", () => {
  it("is of both kinds unless something says otherwise", () => {
    expect(readSelection({}).kinds).toEqual(["events", "notifications"]);
    expect(readSelection({ kind: "events" }).kinds).toEqual(["events"]);
    expect(readSelection({ topic: "t" }).kinds).toEqual(["events"]);
    expect(readSelection({ template: "t" }).kinds).toEqual(["notifications"]);
  });

  it("by poison is of both kinds, as either can be, unless one is named", () => {
    const reason = "poison";
    expect(readSelection({ reason })).toMatchObject({
      kinds: ["events", "notifications"],
      events: { reason },
      notes: { reason },
    });
    expect(readSelection({ reason, kind: "notifications" }).kinds).toEqual(["notifications"]);
  });

  it.each(DEAD_LETTER_REASONS.filter(isOfOneKind))("by %s is of events", (reason) => {
    expect(readSelection({ reason })).toMatchObject({ kinds: ["events"], events: { reason } });
  });

  it.each(REASONS.filter(isOfOneKind))("by %s is of notifications", (reason) => {
    expect(readSelection({ reason })).toMatchObject({
      kinds: ["notifications"],
      notes: { reason },
    });
  });

  it.each<[SelectionOptions, string]>([
    [{ kind: "events", reason: "gone" }, "--kind events selects events and --reason gone notif"],
    [{ kind: "notifications", topic: "t" }, "nothing is both"],
    [{ topic: "t", template: "x" }, "--topic selects events and --template notifications"],
  ])("%j is of nothing, and refused", (options, words) => {
    expect(() => readSelection(options)).toThrow(WrongUse);
    expect(() => readSelection(options)).toThrow(words);
  });
});
