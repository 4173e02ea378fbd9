/** An event that nobody could place, until an operator says whose it is and sends it back: it rings. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runCli, type CliResult } from "../cli/run-cli.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { someone } from "./requests.ts";

const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";

let kafka: TestKafka;
let product: Product;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  kafka = await openTestKafka();
  env = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
    KAFKA_TOPIC_PARTITIONS: "1",
    STRICT_OWNERSHIP: "true",
  };
  product = await startProduct({ ...env, ROLES: "api,gateway,worker,ingest" });
});
afterAll(async () => {
  await product.stop();
  await kafka.close();
});

async function dlq(...args: string[]): Promise<CliResult> {
  const { url, prefix } = product.store;
  return await runCli("schoolbell", ["dlq", ...args], {
    ...env,
    REDIS_URL: url,
    KEY_PREFIX: prefix,
  });
}

const listSchema = z.object({
  events: z.object({
    letters: z.array(z.object({ id: z.string(), reason: z.string(), detail: z.string() })),
  }),
});

async function lettersFor(reason: string) {
  const { stdout } = await dlq("list", "--json", "--reason", reason);
  return listSchema.parse(JSON.parse(stdout)).events.letters;
}

async function publish(value: object): Promise<void> {
  const topic = `${kafka.prefix}${TEACHER_TOPIC}`;
  await expect.poll(() => kafka.admin.listTopics()).toContain(topic);
  await kafka.produce(topic, [{ key: "k", value: JSON.stringify(value) }]);
}

describe("an event about a batch that nobody is known to own", () => {
  it("is put aside, and rings for its teacher once it is sent back with the owner known", async () => {
    const teacher = someone("teacher");
    const batch = someone("batch");
    const tab = await connect(product.webSocketUrl, { token: await product.token(teacher) });
    await tab.next("connected");
    await publish({
      teacher_id: teacher,
      notification_type: "batch_processing_completed",
      category: "batch_progress",
      priority: "high",
      payload: { batch_id: batch, status: "completed" },
      batch_id: batch,
    });
    await expect.poll(() => lettersFor("owner_unknown")).toHaveLength(1);
    const [letter] = await lettersFor("owner_unknown");

    const admin = await product.token("boss", ["admin"]);
    const body = { user_id: teacher };
    const put = await product.call("PUT", `/owners/batch/${batch}`, { as: admin, body });
    expect(put.status).toBe(200);
    expect((await dlq("redrive", letter?.id ?? "")).code).toBe(0);
    expect(await tab.nextNotification()).toMatchObject({
      type: "batch_processing_completed",
      data: { batch_id: batch },
    });

    const audit = await product.call("GET", "/audit?action=events_redriven", { as: admin });
    expect(audit.body).toMatchObject({
      entries: [{ action: "events_redriven", path: `${kafka.prefix}${TEACHER_TOPIC}`, count: 1 }],
    });
    await tab.close();
  });
});

describe("the description of events", () => {
  it("is there for everybody, and calls the topics as they are called here", async () => {
    const { status, body, headers } = await product.call("GET", "/asyncapi.json", { as: "" });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("application/json");
    expect(body).toMatchObject({
      asyncapi: "3.0.0",
      channels: { teacherNotifications: { address: `${kafka.prefix}${TEACHER_TOPIC}` } },
    });
  });
});
