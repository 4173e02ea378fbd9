/** Kafka: what reading events takes, and how many a second come from the topic to the client's ack. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { findFreePort, startLocalBroker } from "../../src/platform/kafka/local-broker.ts";
import { outcomeNotes } from "./aftermath.ts";
import { measureBareQueue } from "./bullmq-baseline.ts";
import { runDelivery, type KafkaCourse } from "./kafka-delivery.ts";
import { measureIntake, type Drain } from "./kafka-intake.ts";
import { openKafkaLoad, TEACHER_TOPIC, type KafkaLoad } from "./kafka-load.ts";
import {
  openBareDelivery,
  openBareIntake,
  openProductDelivery,
  openProductIntake,
  type Topic,
} from "./kafka-reader.ts";
import { kafkaMeasured, kafkaTables } from "./kafka-report.ts";
import { usersOf } from "./load.ts";
import type { BenchContext, ScenarioResult } from "./scenarios.ts";
import type { Target } from "./target.ts";

const SOCKETS = 1_000;
const BASELINE_SECONDS = 5;
const INTAKE_EVENTS = 20_000;
const STEADY = { rate: 200, seconds: 8 } as const;

type Open = (context: BenchContext, topic: Topic, sockets: number) => Promise<Target>;

const openTogether: Open = (context, topic, sockets) =>
  openProductDelivery(context, topic, {
    name: "product",
    roles: ["api,gateway,worker,ingest"],
    sockets,
  });

const openApart: Open = (context, topic, sockets) =>
  openProductDelivery(context, topic, {
    name: "roles apart",
    roles: ["api", "gateway", "worker", "ingest"],
    sockets,
  });

export async function runKafka(context: BenchContext): Promise<ScenarioResult> {
  const { options, announce } = context;
  const bare = await measureBareQueue(context, BASELINE_SECONDS);
  const servers = await brokerFor(context);
  const users = usersOf(options.sockets ?? SOCKETS);

  const intake = await openTopic(context, servers, users);
  const events = Math.min(INTAKE_EVENTS, options.events);
  announce(`putting ${events} events on a topic`);
  await intake.load.pour(events);
  const drains: Drain[] = [];
  for (const open of [openBareIntake, openProductIntake]) {
    const reader = await open(context, intake.topic);
    announce(`${reader.name}: reads ${events} events that lie on the topic`);
    drains.push(await measureIntake(reader, events));
    await reader.stop();
  }

  const courses: KafkaCourse[] = [];
  const plan = { events: options.events, steady: STEADY };
  for (const open of [openBareDelivery, openTogether, openApart]) {
    const { topic, load } = await openTopic(context, servers, users);
    const target = await open(context, topic, users.length);
    courses.push(await runDelivery(target, load, plan, context));
    await target.stop();
    await load.close();
  }
  return {
    tables: kafkaTables(drains, bare, courses),
    figures: { bare, drains, courses },
    measured: kafkaMeasured(bare, courses),
    sound: courses.every(({ outcome }) => outcome.sound),
    notes: courses.flatMap(({ target, outcome }) => outcomeNotes(target, outcome)),
  };
}

/** A topic that nobody has read from. */
async function openTopic(
  context: BenchContext,
  servers: string,
  users: readonly string[],
): Promise<{ topic: Topic; load: KafkaLoad }> {
  const prefix = `bench-${randomUUID().slice(0, 8)}.`;
  const load = await openKafkaLoad({ servers, users, topic: `${prefix}${TEACHER_TOPIC}` });
  context.resources.add("producer", () => load.close());
  return { topic: { servers, prefix }, load };
}

async function brokerFor({ resources, dataDir, announce }: BenchContext): Promise<string> {
  const given = process.env["KAFKA_BOOTSTRAP_SERVERS"];
  if (given !== undefined) return given;
  const port = await findFreePort();
  const broker = await startLocalBroker({ dataDir: path.join(dataDir, "kafka"), port, announce });
  resources.add("broker", () => broker.stop());
  return broker.servers;
}
