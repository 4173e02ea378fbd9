/** From the two ways in that are no request to the person's open tab, through the whole product. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectRedis } from "../../src/platform/redis.ts";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { startProduct, type Product } from "../support/product.ts";
import { connect, type TestClient } from "../support/websocket-client.ts";
import { batchCompleted, envelopeOf, GENERAL_TOPIC, TEACHER_TOPIC } from "./intake-scene.ts";

let kafka: TestKafka;
let product: Product;
let listener: Redis;
const tabs: TestClient[] = [];

beforeAll(async () => {
  kafka = await openTestKafka();
  product = await startProduct({
    KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
    KAFKA_TOPIC_PREFIX: kafka.prefix,
    KAFKA_CONSUMER_GROUP: `${kafka.prefix}ingest`,
    REDIS_BRIDGE: "true",
    MIRROR_USER_CHANNELS: "true",
  });
  listener = connectRedis(product.store.url, "subscriber");
});

afterAll(async () => {
  for (const tab of tabs) await tab.close();
  listener.disconnect();
  await product.stop();
  await kafka.close();
});

async function openTab(userId: string): Promise<TestClient> {
  const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
  await tab.next("connected");
  tabs.push(tab);
  return tab;
}

const produce = (topic: string, value: unknown): Promise<void> =>
  kafka.produce(`${kafka.prefix}${topic}`, [{ key: null, value: JSON.stringify(value) }]);

describe("a teacher event in Kafka", () => {
  it("shows in its teacher's tab, with what the event says over what the template says", async () => {
    const teacher = `teacher-${randomUUID()}`;
    const tab = await openTab(teacher);
    const stranger = await openTab(`stranger-${randomUUID()}`);
    const data = batchCompleted({ teacher_id: teacher, category: "PROCESSING_RESULTS" });
    await produce(TEACHER_TOPIC, envelopeOf(data));
    expect(await tab.nextNotification()).toMatchObject({
      type: "batch_processing_completed",
      event: "batch_processing_completed",
      notification_type: "batch_processing_completed",
      category: "processing_results",
      priority: "high",
      action_required: false,
      deadline: null,
      correlation_id: "event-789",
      data: {
        batch_id: "batch-456",
        batch_name: "Essay Batch 1",
        status: "completed",
        category: "processing_results",
        priority: "high",
        action_required: false,
        deadline: null,
      },
    });
    expect(stranger.replayIds()).toEqual([]);
  });

  it("reads well where it says next to nothing", async () => {
    const teacher = `teacher-${randomUUID()}`;
    const tab = await openTab(teacher);
    await produce(TEACHER_TOPIC, batchCompleted({ teacher_id: teacher, payload: {} }));
    const { title, body } = await tab.nextNotification();
    expect(`${String(title)} ${String(body)}`).toMatch(/\w/);
    expect(`${String(title)} ${String(body)}`).not.toMatch(/undefined|null|[{}]/);
  });
});

describe("a request in Kafka", () => {
  it("shows in its user's tab", async () => {
    const user = `parent-${randomUUID()}`;
    const tab = await openTab(user);
    const data = { title: "Hello", body: "The bell rings at eight." };
    await produce(GENERAL_TOPIC, { user_id: user, template_id: "announcement", data });
    expect(await tab.nextNotification()).toMatchObject({ type: "announcement", title: "Hello" });
  });
});

describe("a message on a person's Redis channel", () => {
  it("shows in the tab, and its frame on the channel that others listen on", async () => {
    const user = `test_user_${randomUUID()}`;
    const heard: string[] = [];
    listener.on("message", (_channel, text) => heard.push(text));
    await listener.subscribe(`teacher:${user}:notifications`);
    const tab = await openTab(user);
    const data = {
      batch_id: "batch-123",
      essay_id: "essay-456",
      file_upload_id: "upload-789",
      filename: "student_essay.txt",
      slot_index: 3,
      text_storage_id: "text-1",
    };
    const timestamp = "2026-09-14T10:30:00Z";
    const message = { event: "essay_slot_assigned", correlation_id: "c-1", timestamp, data };
    await product.foundation.redis.publish(`ws:${user}`, JSON.stringify(message));
    const frame = await tab.nextNotification();
    const { text_storage_id: _hidden, ...shown } = data;
    expect(frame).toMatchObject({ type: "essay_slot_assigned", correlation_id: "c-1" });
    expect(frame["data"]).toEqual({ ...shown, timestamp });
    await expect.poll(() => heard.map((text): unknown => JSON.parse(text))).toEqual([frame]);
  });
});
