/** `dlq` over events: what was put aside in a real broker is found, read and sent back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetterRecord, type DeadLetterReason } from "../../src/platform/kafka/dead-letters.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { runCli, type CliResult } from "./run-cli.ts";

const DEAD_LETTERS = "dead-letters";
const PUT_ASIDE_AT = Date.parse("2026-11-20T09:30:15Z");

let kafka: TestKafka;
let store: TestRedis;
/** Where events come from, and a second such topic. */
let topic: string;
let otherTopic: string;
let deadLetters: string;

beforeAll(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

/** Topics of its own for each group of tests, so that each counts what it wrote itself. */
async function makeTopics(name: string): Promise<void> {
  topic = await kafka.createTopic(`${name}.teacher.v1`, 2);
  otherTopic = await kafka.createTopic(`${name}.class.v1`);
  deadLetters = await kafka.createTopic(`${name}.${DEAD_LETTERS}`, 2);
}

interface Poison {
  readonly value: Buffer | null;
  readonly reason?: DeadLetterReason;
  readonly from?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, Buffer>>;
}

/** Puts a record aside as the service does, in the first partition unless told. */
async function putAside(poison: Poison, partition = 0): Promise<void> {
  const record: KafkaRecord = {
    topic: poison.from ?? topic,
    partition: 1,
    offset: "145",
    key: Buffer.from(poison.key ?? "teacher-1"),
    value: poison.value,
    headers: poison.headers ?? {},
    timestamp: PUT_ASIDE_AT - 60_000,
  };
  const reason = poison.reason ?? "invalid_json";
  const letter = { record, reason, detail: "The value is not valid JSON." };
  const about = { group: "websocket-service-group", atMs: PUT_ASIDE_AT };
  await kafka.produce(deadLetters, [{ ...deadLetterRecord(letter, about), partition }]);
}

async function dlq(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  return await runCli("schoolbell", ["dlq", ...args], {
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
    KAFKA_DEAD_LETTER_TOPIC: deadLetters.slice(kafka.prefix.length),
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    ...env,
  });
}

const texts = (records: readonly KafkaRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

describe("a poisoned record", () => {
  const POISON = '{"teacher_id": "teacher-1", "secret": "Ada';
  beforeAll(async () => {
    await makeTopics("one");
    const headers = { traceparent: Buffer.from("00-abc-01") };
    await putAside({ value: Buffer.from(POISON), headers });
  });

  it("is listed with its reason and where it came from, within 100 columns", async () => {
    const { code, stdout, stderr } = await dlq(["list", "--kind", "events"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Events in ${deadLetters}: 1\n`);
    expect(stdout).toMatch(/^0:0 +2026-11-20 09:30:15 +invalid_json +\S+\.teacher\.v1 +-$/m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("is shown with all that is known, but what it holds only where asked", async () => {
    const { code, stdout } = await dlq(["show", "0:0"]);
    expect(code).toBe(0);
    expect(stdout).toContain("invalid_json");
    expect(stdout).toContain("The value is not valid JSON.");
    expect(stdout).toContain(`${topic} 1:145`);
    expect(stdout).toContain("traceparent: 00-abc-01");
    expect(stdout).toContain("teacher-1");
    expect(stdout).not.toContain("Ada");
    expect((await dlq(["show", "0:0", "--payload"])).stdout).toContain(POISON);
  });

  it("goes back as it was, saying where from, and is remembered", async () => {
    const sent = await dlq(["redrive", "0:0"]);
    expect(sent).toMatchObject({ code: 0, stderr: "", stdout: `0:0  sent back to ${topic}\n` });
    const [arrived, ...others] = await kafka.readAll(topic);
    expect(others).toEqual([]);
    expect(arrived?.value?.toString()).toBe(POISON);
    expect(arrived?.key?.toString()).toBe("teacher-1");
    expect(Object.keys(arrived?.headers ?? {}).sort()).toEqual(["redriven-from", "traceparent"]);
    expect(arrived?.headers["redriven-from"]?.toString()).toBe(`${deadLetters}/0/0`);

    const { stdout } = await dlq(["list", "--kind", "events"]);
    expect(stdout).toMatch(/^0:0 .* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
  });

  it("does not go back a second time unless that is said", async () => {
    const before = (await kafka.readAll(topic)).length;
    const refused = await dlq(["redrive", "0:0"]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("--again does it once more");
    expect(refused.stderr).toBe("1 of 1 were not sent back.\n");
    expect(await kafka.readAll(topic)).toHaveLength(before);

    expect((await dlq(["redrive", "0:0", "--again"])).code).toBe(0);
    expect(await kafka.readAll(topic)).toHaveLength(before + 1);
  });

  it("leaves nothing behind in the broker: no offset, no group", async () => {
    const { groups } = await kafka.admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith(kafka.prefix))).toEqual([]);
  });
});

describe("many of them", () => {
  beforeAll(async () => {
    await makeTopics("many");
    for (let index = 0; index < 6; index += 1) {
      await putAside({ value: Buffer.from(`bad ${index}`), key: `k${index}` }, index % 2);
    }
    await putAside({ value: Buffer.from("class"), from: otherTopic, reason: "invalid_event" });
    // What somebody else wrote there.
    await kafka.produce(deadLetters, [{ key: null, value: "stray", partition: 1 }]);
  });

  const idsOf = (stdout: string): string[] =>
    [...stdout.matchAll(/^(\d+:\d+) /gm)].flatMap(([, id = ""]) => [id]);

  it("are listed the newest first, as many as asked", async () => {
    const { stdout } = await dlq(["list", "--kind", "events", "--limit", "3"]);
    expect(stdout).toContain("the newest 3 of 8");
    expect(idsOf(stdout)).toEqual(["1:3", "0:3", "1:2"]);
    expect(stdout).toContain("(not put there by us)");
  });

  it("are chosen by reason and by topic, with or without the prefix", async () => {
    const ids = async (...args: string[]) => idsOf((await dlq(["list", ...args])).stdout);
    expect(await ids("--reason", "invalid_event")).toEqual(["0:3"]);
    expect(await ids("--topic", otherTopic)).toEqual(["0:3"]);
    expect(await ids("--topic", otherTopic.slice(kafka.prefix.length))).toEqual(["0:3"]);
    expect(await ids("--reason", "invalid_json", "--limit", "2")).toEqual(["1:2", "0:2"]);
  });

  it("are one document for a program", async () => {
    const { stdout } = await dlq([
      "list",
      "--kind",
      "events",
      "--json",
      "--reason",
      "invalid_event",
    ]);
    expect(JSON.parse(stdout)).toEqual({
      events: {
        topic: deadLetters,
        total: 1,
        letters: [
          {
            id: "0:3",
            reason: "invalid_event",
            detail: "The value is not valid JSON.",
            put_aside_at: "2026-11-20T09:30:15.000Z",
            group: "websocket-service-group",
            from: {
              topic: otherTopic,
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
    const { code, stdout, stderr } = await dlq(["redrive", "--all", "--kind", "events"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Send back 7 events\? Nobody is here to ask: add --yes\.\n/);
    expect(await kafka.readAll(topic)).toEqual([]);
  });

  it("go back, each to its topic and in order, but not what went back before", async () => {
    expect((await dlq(["redrive", "0:1"])).code).toBe(0);
    const { code, stdout } = await dlq(["redrive", "--all", "--kind", "events", "--yes"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").sort()).toEqual([
      "",
      `1 sent back to ${otherTopic}`,
      `5 sent back to ${topic}`,
    ]);
    expect(texts(await kafka.readAll(topic)).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => `bad ${index}`),
    );
    expect(texts(await kafka.readAll(otherTopic))).toEqual(["class"]);

    const rest = await dlq(["redrive", "--all", "--kind", "events", "--yes"]);
    expect(rest).toMatchObject({ code: 0, stdout: "" });
    expect(rest.stderr).toContain("There is nothing to send back: 0 events.");
  });

  it("are not mistaken for a stranger's record, which nobody knows where to send", async () => {
    const { code, stdout } = await dlq(["redrive", "1:3", "0:99"]);
    expect(code).toBe(1);
    expect(stdout).toContain("1:3  Schoolbell did not put it there");
    expect(stdout).toContain("0:99  There is no such record");
  });
});

describe("what a record holds", () => {
  beforeAll(async () => {
    await makeTopics("bytes");
    await putAside({ value: Buffer.from([0xff, 0xfe, 0x41, 0x00]) });
    await putAside({ value: Buffer.from('{"title":"\u{1b}[2J gone"}'), key: "\u{1b}[31mred" });
    await putAside({ value: null });
  });

  it("is shown as a hex dump where it is no text", async () => {
    const { stdout } = await dlq(["show", "0:0", "--payload"]);
    expect(stdout).toMatch(/value +00000000 {2}ff fe 41 00 +\.\.A\.$/m);
    const { stdout: json } = await dlq(["show", "0:0", "--payload", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ events: [{ value_base64: "//5BAA==" }] });
  });

  it("cannot steer the terminal", async () => {
    const { stdout } = await dlq(["show", "0:1", "--payload"]);
    expect(stdout).not.toContain("\u{1b}");
    expect(stdout).toContain(String.raw`\u001b[2J gone`);
  });

  it("may be nothing, and goes back as nothing", async () => {
    expect((await dlq(["show", "0:2"])).stdout).toContain("none (a tombstone)");
    expect((await dlq(["redrive", "0:2"])).code).toBe(0);
    expect((await kafka.readAll(topic)).map(({ value }) => value)).toEqual([null]);
  });
});

describe("without Redis", () => {
  beforeAll(async () => {
    await makeTopics("no-redis");
    await putAside({ value: Buffer.from("bad") });
  });
  /** Nobody listens there. */
  const AWAY = { REDIS_URL: "redis://127.0.0.1:1/0" };

  it("events are listed all the same, and it is said what is missing", async () => {
    const { code, stdout, stderr } = await dlq(["list"], AWAY);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^0:0 .* \?$/m);
    expect(stderr).toMatch(
      /^The notifications are not shown: Redis at 127\.0\.0\.1:1 cannot be reached: .*\.\n$/,
    );
  });

  it("nothing goes back that may have gone back before, unless that is said", async () => {
    const refused = await dlq(["redrive", "0:0"], AWAY);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^It is not known which events were sent back before: Redis at /,
    );
    expect(await kafka.readAll(topic)).toEqual([]);

    expect((await dlq(["redrive", "0:0", "--again"], AWAY)).code).toBe(0);
    expect(texts(await kafka.readAll(topic))).toEqual(["bad"]);
  });
});

describe("without Kafka", () => {
  it("it is said that none answers, in one line", async () => {
    const { code, stdout, stderr } = await dlq(["list", "--kind", "events"], {
      KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1",
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^The events are not shown: Kafka at 127\.0\.0\.1:1 cannot be reached: .+\.\n$/,
    );
  });

  it("the other kind is listed where Kafka is off, and that is no failure", async () => {
    const { code, stdout, stderr } = await dlq(["list"], { KAFKA_BOOTSTRAP_SERVERS: "" });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Notifications: none that failed.\n" });
    expect(stderr).toBe("The events are not shown: KAFKA_BOOTSTRAP_SERVERS is not set.\n");
  });

  it("a topic that is not there yet means that nothing was put aside", async () => {
    const env = { KAFKA_DEAD_LETTER_TOPIC: "never-made" };
    const { code, stdout } = await dlq(["list", "--kind", "events"], env);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Events: none, there is no topic ${kafka.prefix}never-made yet.\n`,
    });
  });
});
