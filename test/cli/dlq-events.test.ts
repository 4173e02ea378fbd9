/** `dlq` over events: what was put aside in a real broker is found, read and sent back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { makeDeadLetterCorner, type DeadLetterCorner } from "./dead-letter-corner.ts";

let kafka: TestKafka;
let store: TestRedis;
let corner: DeadLetterCorner;

beforeAll(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

/** Behind all that was put aside before, however quickly that went. */
const LATER_MS = 1_000;

const texts = (records: readonly KafkaRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

describe("a poisoned record", () => {
  const POISON = '{"teacher_id": "teacher-1", "secret": "Ada';
  beforeAll(async () => {
    corner = await makeDeadLetterCorner({ kafka, store }, "one");
    const headers = { traceparent: Buffer.from("00-abc-01") };
    await corner.putAside({ value: Buffer.from(POISON), headers });
  });

  it("is listed with its reason and where it came from, within 100 columns", async () => {
    const { code, stdout, stderr } = await corner.dlq(["list", "--kind", "events"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Events in ${corner.deadLetters}: 1\n`);
    expect(stdout).toMatch(/^0:0 +2026-11-20 09:30:15 +invalid_json +\S+\.teacher\.v1 +-$/m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("is shown with all that is known, but what it holds only where asked", async () => {
    const { code, stdout } = await corner.dlq(["show", "0:0"]);
    expect(code).toBe(0);
    expect(stdout).toContain("invalid_json");
    expect(stdout).toContain("The value is not valid JSON.");
    expect(stdout).toContain(`${corner.topic} 1:145`);
    expect(stdout).toContain("traceparent: 00-abc-01");
    expect(stdout).toContain("teacher-1");
    expect(stdout).not.toContain("Ada");
    expect((await corner.dlq(["show", "0:0", "--payload"])).stdout).toContain(POISON);
  });

  it("goes back as it was, saying where from, and is remembered", async () => {
    const sent = await corner.dlq(["redrive", "0:0"]);
    expect(sent).toMatchObject({
      code: 0,
      stderr: "",
      stdout: `0:0  sent back to ${corner.topic}\n`,
    });
    const [arrived, ...others] = await kafka.readAll(corner.topic);
    expect(others).toEqual([]);
    expect(arrived?.value?.toString()).toBe(POISON);
    expect(arrived?.key?.toString()).toBe("teacher-1");
    expect(Object.keys(arrived?.headers ?? {}).sort()).toEqual(["redriven-from", "traceparent"]);
    expect(arrived?.headers["redriven-from"]?.toString()).toBe(`${corner.deadLetters}/0/0`);

    const { stdout } = await corner.dlq(["list", "--kind", "events"]);
    expect(stdout).toMatch(/^0:0 .* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
  });

  it("does not go back a second time unless that is said", async () => {
    const before = (await kafka.readAll(corner.topic)).length;
    const refused = await corner.dlq(["redrive", "0:0"]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("--again does it once more");
    expect(refused.stderr).toBe("1 of 1 were not sent back.\n");
    expect(await kafka.readAll(corner.topic)).toHaveLength(before);

    expect((await corner.dlq(["redrive", "0:0", "--again"])).code).toBe(0);
    expect(await kafka.readAll(corner.topic)).toHaveLength(before + 1);
  });

  it("leaves nothing behind in the broker: no offset, no group", async () => {
    const { groups } = await kafka.admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith(kafka.prefix))).toEqual([]);
  });
});

describe("many of them", () => {
  beforeAll(async () => {
    corner = await makeDeadLetterCorner({ kafka, store }, "many");
    for (let index = 0; index < 6; index += 1) {
      await corner.putAside({ value: Buffer.from(`bad ${index}`), key: `k${index}` }, index % 2);
    }
    await corner.putAside({
      value: Buffer.from("class"),
      from: corner.otherTopic,
      reason: "invalid_event",
    });
    // What somebody else wrote there.
    const timestamp = String(Date.now() + LATER_MS);
    await kafka.produce(corner.deadLetters, [
      { key: null, value: "stray", partition: 1, timestamp },
    ]);
  });

  const idsOf = (stdout: string): string[] =>
    [...stdout.matchAll(/^(\d+:\d+) /gm)].flatMap(([, id = ""]) => [id]);

  it("are listed the newest first, as many as asked", async () => {
    const { stdout } = await corner.dlq(["list", "--kind", "events", "--limit", "3"]);
    expect(stdout).toContain("the newest 3 of 8");
    expect(idsOf(stdout)).toEqual(["1:3", "0:3", "1:2"]);
    expect(stdout).toContain("(not put there by us)");
  });

  it("are chosen by reason and by topic, with or without the prefix", async () => {
    const ids = async (...args: string[]) => idsOf((await corner.dlq(["list", ...args])).stdout);
    expect(await ids("--reason", "invalid_event")).toEqual(["0:3"]);
    expect(await ids("--topic", corner.otherTopic)).toEqual(["0:3"]);
    expect(await ids("--topic", corner.otherTopic.slice(kafka.prefix.length))).toEqual(["0:3"]);
    expect(await ids("--reason", "invalid_json", "--limit", "2")).toEqual(["1:2", "0:2"]);
  });

  it("are one document for a program", async () => {
    const { stdout } = await corner.dlq([
      "list",
      "--kind",
      "events",
      "--json",
      "--reason",
      "invalid_event",
    ]);
    expect(JSON.parse(stdout)).toEqual({
      events: {
        topic: corner.deadLetters,
        total: 1,
        letters: [
          {
            id: "0:3",
            reason: "invalid_event",
            detail: "The value is not valid JSON.",
            put_aside_at: "2026-11-20T09:30:15.000Z",
            group: "websocket-service-group",
            from: {
              topic: corner.otherTopic,
              partition: 1,
              offset: "145",
              timestamp: "2026-11-20T09:29:15.000Z",
            },
            key: "teacher-1",
            headers: {},
            bytes: 5,
            redriven_at: null,
          },
        ],
      },
      missing: {},
    });
  });

  it("do not go back all at once before somebody has said so", async () => {
    const { code, stdout, stderr } = await corner.dlq(["redrive", "--all", "--kind", "events"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Send back 7 events\? Nobody is here to ask: add --yes\.\n/);
    expect(await kafka.readAll(corner.topic)).toEqual([]);
  });

  it("go back, each to its topic and in order, but not what went back before", async () => {
    expect((await corner.dlq(["redrive", "0:1"])).code).toBe(0);
    const { code, stdout } = await corner.dlq(["redrive", "--all", "--kind", "events", "--yes"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").sort()).toEqual([
      "",
      `1 sent back to ${corner.otherTopic}`,
      `5 sent back to ${corner.topic}`,
    ]);
    expect(
      texts(await kafka.readAll(corner.topic))
        .join()
        .split(",")
        .sort(),
    ).toEqual(["bad 0", "bad 1", "bad 2", "bad 3", "bad 4", "bad 5"]);
    expect(texts(await kafka.readAll(corner.otherTopic))).toEqual(["class"]);

    const rest = await corner.dlq(["redrive", "--all", "--kind", "events", "--yes"]);
    expect(rest).toMatchObject({ code: 0, stdout: "" });
    expect(rest.stderr).toContain("There is nothing to send back: 0 events.");
  });

  it("are not mistaken for a stranger's record, which nobody knows where to send", async () => {
    const { code, stdout } = await corner.dlq(["redrive", "1:3", "0:99"]);
    expect(code).toBe(1);
    expect(stdout).toContain("1:3  Schoolbell did not put it there");
    expect(stdout).toContain("0:99  There is no such record");
  });
});

describe("what a record holds", () => {
  const STEERING = '{"title":"\u{1b}[2J gone \u{9b}2J \u{202e}dnuora"}';

  beforeAll(async () => {
    corner = await makeDeadLetterCorner({ kafka, store }, "bytes");
    await corner.putAside({ value: Buffer.from([0xff, 0xfe, 0x41, 0x00]) });
    await corner.putAside({
      value: Buffer.from(STEERING),
      key: "\u{1b}[31mred",
    });
    await corner.putAside({ value: null });
  });

  it("is shown as a hex dump where it is no text", async () => {
    const { stdout } = await corner.dlq(["show", "0:0", "--payload"]);
    expect(stdout).toMatch(/value +00000000 {2}ff fe 41 00 +\.\.A\.$/m);
    const { stdout: json } = await corner.dlq(["show", "0:0", "--payload", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ events: [{ value_base64: "//5BAA==" }] });
  });

  it("cannot steer the terminal", async () => {
    const { stdout } = await corner.dlq(["show", "0:1", "--payload"]);
    expect(stdout).not.toContain("\u{1b}");
    expect(stdout).toContain(String.raw`\u001b[2J gone`);
    const { stdout: json } = await corner.dlq(["show", "0:1", "--payload", "--json"]);
    for (const steering of ["\u{1b}", "\u{9b}", "\u{202e}"]) expect(json).not.toContain(steering);
    expect(JSON.parse(json)).toMatchObject({ events: [{ value: STEERING }] });
  });

  it("may claim to come from anywhere, but goes only to what is read here", async () => {
    const foreign = await kafka.createTopic("foreign");
    await corner.putAside({ value: Buffer.from("forged"), from: foreign }, 1);
    const { code, stdout } = await corner.dlq(["redrive", "1:0"]);
    expect(code).toBe(1);
    expect(stdout).toBe(`1:0  It names the topic ${foreign}, which is not read here.\n`);
    const all = await corner.dlq(["redrive", "--topic", foreign, "--yes"]);
    expect(all.stderr).toContain("There is nothing to send back: 0 events.");
    expect(await kafka.readAll(foreign)).toEqual([]);
  });

  it("may have been too large to be kept: then nothing can go back", async () => {
    await corner.putAside({ value: null, forged: { "dlq-omitted": "value, headers" } }, 1);
    expect((await corner.dlq(["show", "1:1"])).stdout).toContain("value, headers: too large");
    const { code, stdout } = await corner.dlq(["redrive", "1:1"]);
    expect(code).toBe(1);
    expect(stdout).toContain("It was too large to be kept");
  });

  it("may be nothing, and goes back as nothing", async () => {
    expect((await corner.dlq(["show", "0:2"])).stdout).toContain("none (a tombstone)");
    expect((await corner.dlq(["redrive", "0:2"])).code).toBe(0);
    expect((await kafka.readAll(corner.topic)).map(({ value }) => value)).toEqual([null]);
  });
});
