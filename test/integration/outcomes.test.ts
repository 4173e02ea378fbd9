/** What other services read on the outcome topic, from a real broker, also when it was away. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeEventSchema, type OutcomeEvent } from "../../src/contract/outcome-event.ts";
import { connectTestKafka, openTestKafka, startOwnBroker } from "../support/kafka.ts";
import type { OwnBroker, TestKafka } from "../support/kafka.ts";
import { startProduct, type Product } from "../support/product.ts";
import { announcementFor, classCreatedFor, meetingFor, someone } from "./requests.ts";

const ROLES = "api,gateway,worker";

/** Every record of the outcome topic, by the notification it is about. */
async function readOutcomes(
  kafka: TestKafka,
  topic = `${kafka.prefix}notifications.outcome.v1`,
): Promise<Map<string, OutcomeEvent[]>> {
  const records = await kafka.readAll(topic);
  const events = records.map(({ key, value }) => {
    const event = outcomeEventSchema.parse(JSON.parse(String(value)));
    expect(String(key)).toBe(event.data.user_id);
    return event;
  });
  return Map.groupBy(events, ({ data }) => data.notification_id);
}

const idOf = (answer: { body: Record<string, unknown> }): string =>
  String(answer.body["notification_id"]);

describe("the outcome topic", () => {
  let kafka: TestKafka;
  let product: Product;

  beforeAll(async () => {
    kafka = await openTestKafka();
    product = await startProduct({
      ROLES,
      KAFKA_BOOTSTRAP_SERVERS: kafka.servers,
      KAFKA_TOPIC_PREFIX: kafka.prefix,
      DUE_POLL_MS: "25",
    });
  });

  afterAll(async () => {
    await product.stop();
    await kafka.close();
  });

  it("tells of each notification once, with the ids that its sender knows", async () => {
    const eventId = `event-${someone()}`;
    const user = someone();
    const requests = [
      { ...announcementFor(user), event_id: eventId, correlation_id: "batch-12" },
      meetingFor("test-delivered@sandbox"),
      classCreatedFor("test-rejected@sandbox"),
    ];
    const answers = await Promise.all(requests.map((body) => product.notify(body)));
    const ids = answers.map(idOf);
    await expect
      .poll(async () => {
        const told = await readOutcomes(kafka);
        return ids.every((id) => told.has(id));
      })
      .toBe(true);
    const told = await readOutcomes(kafka);
    for (const [index, id] of ids.entries()) {
      // A request to the broker that is repeated may write a record twice.
      expect(new Set(told.get(id)?.map((event) => event.event_id)).size).toBe(1);
      expect(told.get(id)?.[0]?.data).toMatchObject({
        outcome: "settled",
        status: answers[index]?.body["status"],
      });
    }
    expect(told.get(ids[0] ?? "")?.[0]).toMatchObject({
      correlation_id: "batch-12",
      data: { event_id: eventId, user_id: user, caller: "service-under-test" },
    });
    expect(JSON.stringify([...told])).not.toMatch(/Sarah|Snow day/);
  });

  it("tells of a failed one that is sent again, in the order of things", async () => {
    const id = idOf(await product.notify(classCreatedFor("test-rejected@sandbox")));
    const as = await product.token("boss", ["admin"]);
    const path = `/admin/dead-letters/${id}/redrive`;
    expect((await product.call("POST", path, { as, body: {} })).status).toBe(202);
    await expect
      .poll(async () => {
        const events = new Map(
          (await readOutcomes(kafka)).get(id)?.map((event) => [event.event_id, event]),
        );
        return [...events.values()].map(({ data }) => `${data.outcome} ${data.status}`);
      })
      .toEqual(["settled failed", "redriven queued", "settled failed"]);
  });
});

describe("while Kafka is away", () => {
  const MAX_DEPTH = 3;
  let broker: OwnBroker;
  let product: Product;

  beforeAll(async () => {
    broker = await startOwnBroker({ started: false });
    product = await startProduct({
      ROLES,
      KAFKA_BOOTSTRAP_SERVERS: broker.servers,
      MAX_QUEUE_DEPTH: String(MAX_DEPTH),
    });
  });

  afterAll(async () => {
    await product.stop();
    await broker.close();
  });

  it("people are notified all the same, until too many outcomes wait; then all is made good", async () => {
    const ids: string[] = [];
    await expect
      .poll(
        async () => {
          const answer = await product.notify(announcementFor("test-delivered@sandbox"));
          if (answer.status === 200) ids.push(idOf(answer));
          return answer.body["detail"];
        },
        { interval: 200 },
      )
      .toBe("Too many outcomes wait to be sent to Kafka.");
    expect(ids.length).toBeGreaterThan(MAX_DEPTH);

    await broker.start();
    await expect
      .poll(async () => (await product.notify(announcementFor(someone()))).status)
      .toBe(200);
    const kafka = await connectTestKafka(broker.servers);
    const untold = async (): Promise<string[]> => {
      const told = await readOutcomes(kafka, "notifications.outcome.v1");
      return ids.filter((id) => !told.has(id));
    };
    await expect.poll(untold).toEqual([]);
    await kafka.close();
  });
});
