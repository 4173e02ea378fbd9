/** From a service's own event on a real broker to the teacher's open tab, and to nobody else's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { startProduct, type Product } from "../support/product.ts";
import { connect, type TestClient } from "../support/websocket-client.ts";
import { someone } from "./requests.ts";

const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";
const DEAD_LETTER_TOPIC = "huleedu.notification.dlq.v1";
const READY = "huleedu.batch.essays.ready.v1";
const PROVISIONED = "huleedu.essay.content.provisioned.v1";
const PROVISIONED_BY_FILE = "huleedu.file.essay.content.provisioned.v1";
/** Just under the most that a broker takes. */
const HUGE_BYTES = 1_048_000;

let kafka: TestKafka;
let product: Product;

beforeAll(async () => {
  kafka = await openTestKafka();
  product = await startProduct({
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}group`,
    KAFKA_TOPIC_PARTITIONS: "1",
  });
});

afterAll(async () => {
  await product.stop();
  await kafka.close();
});

async function openTab(userId: string): Promise<TestClient> {
  const client = await connect(product.webSocketUrl, { token: await product.token(userId) });
  await client.next("connected");
  return client;
}

function eventOf(type: string, eventId: string, data: Record<string, unknown>) {
  const now = new Date().toISOString();
  return {
    event_id: eventId,
    event_type: type,
    event_timestamp: now,
    data: { timestamp: now, ...data },
  };
}

/** Once the product has made the topic, which it does when it begins to read. */
async function emit(topic: string, ...values: readonly (object | string)[]): Promise<void> {
  const name = `${kafka.prefix}${topic}`;
  await expect.poll(() => kafka.admin.listTopics()).toContain(name);
  await kafka.produce(
    name,
    values.map((value) => ({
      key: "k",
      value: typeof value === "string" ? value : JSON.stringify(value),
    })),
  );
}

/** Resolves once the projectors are done with everything on a topic, which has one partition. */
async function untilProjected(topic: string): Promise<void> {
  const name = `${kafka.prefix}${topic}`;
  const [end] = await kafka.admin.fetchTopicOffsets(name);
  await expect
    .poll(() => kafka.committed(`${kafka.prefix}group-projector`, name))
    .toEqual([Number(end?.high)]);
}

async function lettersOf(reason: string) {
  const records = await kafka.readAll(`${kafka.prefix}${DEAD_LETTER_TOPIC}`);
  return records.filter(({ headers }) => headers["dlq-reason"]?.toString() === reason);
}

describe("a service's event", () => {
  it("reaches the open tab of the teacher it names, once, whichever topics it came on", async () => {
    const teacher = someone("teacher");
    const [tab, stranger] = [await openTab(teacher), await openTab(someone("stranger"))];
    const eventId = someone("event");
    const batch = someone("batch");
    const data = { user_id: teacher, batch_id: batch, file_upload_id: "upload-1" };
    await emit(PROVISIONED, eventOf(PROVISIONED, eventId, data));
    await emit(PROVISIONED_BY_FILE, eventOf(PROVISIONED_BY_FILE, eventId, data));

    expect(await tab.nextNotification()).toMatchObject({
      type: "essay_content_provisioned",
      category: "file_operations",
      priority: "standard",
      correlation_id: eventId,
      batch_id: batch,
      data: { batch_id: batch, file_upload_id: "upload-1" },
    });
    await untilProjected(PROVISIONED_BY_FILE);
    const published = (await kafka.readAll(`${kafka.prefix}${TEACHER_TOPIC}`)).filter(
      ({ key }) => key?.toString() === teacher,
    );
    expect(published).toHaveLength(2);
    await emit(READY, eventOf(READY, someone("event"), { ...data, essay_count: 25 }));
    expect(await tab.nextNotification()).toMatchObject({
      type: "batch_essays_ready",
      data: { message: "Batch ready with 25 essays" },
    });
    expect(tab.replayIds()).toEqual(["1", "2"]);
    expect(stranger.replayIds()).toEqual([]);
    await Promise.all([tab.close(), stranger.close()]);
  });

  it("without a user reaches whom an administrator set as the owner", async () => {
    const teacher = someone("teacher");
    const batch = someone("batch");
    const as = await product.token("admin-1", ["admin"]);
    const set = await product.call("PUT", `/owners/batch/${batch}`, {
      as,
      body: { user_id: teacher },
    });
    expect(set.status).toBe(200);
    const tab = await openTab(teacher);
    await emit(READY, eventOf(READY, someone("event"), { batch_id: batch, essay_count: 3 }));
    expect(await tab.nextNotification()).toMatchObject({ type: "batch_essays_ready" });
    await tab.close();

    const { body } = await product.call("GET", `/audit?user_id=${teacher}`, { as });
    expect(body["entries"]).toContainEqual(
      expect.objectContaining({ caller: "admin-1", user_id: teacher }),
    );
  });

  it("that names another than the owner reaches neither, and is put aside as it came", async () => {
    const [teacher, intruder, batch] = [someone("teacher"), someone("intruder"), someone("batch")];
    const [tab, other] = [await openTab(teacher), await openTab(intruder)];
    const own = eventOf(READY, someone("event"), {
      user_id: teacher,
      batch_id: batch,
      essay_count: 1,
    });
    const wrong = eventOf(READY, someone("event"), {
      user_id: intruder,
      batch_id: batch,
      essay_count: 2,
    });
    const last = eventOf(READY, someone("event"), { batch_id: batch, essay_count: 3 });
    await emit(READY, own, wrong, last);
    await tab.nextNotification();
    expect(await tab.nextNotification()).toMatchObject({ data: { essay_count: 3 } });
    expect(other.replayIds()).toEqual([]);

    await untilProjected(READY);
    const [letter] = await lettersOf("ownership_mismatch");
    expect(letter?.value?.toString()).toBe(JSON.stringify(wrong));
    expect(letter?.headers["dlq-group"]?.toString()).toBe(`${kafka.prefix}group-projector`);
    await Promise.all([tab.close(), other.close()]);
  });

  it("comes through behind records that nobody can use, however large these are", async () => {
    const teacher = someone("teacher");
    const tab = await openTab(teacher);
    const usable = { user_id: teacher, batch_id: someone("batch"), essay_count: 9 };
    for (const value of ["{", "x".repeat(HUGE_BYTES), eventOf(READY, someone("event"), usable)]) {
      await emit(READY, value);
    }
    expect(await tab.nextNotification()).toMatchObject({ data: { essay_count: 9 } });
    await untilProjected(READY);
    expect((await lettersOf("invalid_json")).map(({ value }) => value?.toString())).toContain("{");
    expect((await lettersOf("invalid_event")).map(({ value }) => value?.length)).toContain(
      HUGE_BYTES,
    );
    await tab.close();
  });
});
