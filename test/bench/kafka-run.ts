/** The Kafka scenario: each target in turn reads the same events, alone on the machine. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { findFreePort, startLocalBroker } from "../../src/platform/kafka/local-broker.ts";
import type { Logger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import type { BenchOptions } from "./arguments.ts";
import { isSound } from "./judgement.ts";
import { openKafkaLoad, TEACHER_TOPIC } from "./kafka-load.ts";
import { drainIngest, runSocketCourse, type Drain, type SocketCourse } from "./kafka-scenario.ts";
import { startKafkaBaseline, startKafkaProduct, type KafkaTargetOptions } from "./kafka-targets.ts";

export interface KafkaCourse {
  readonly target: "baseline" | "product";
  readonly ingest: Drain;
  readonly socket: SocketCourse;
}

interface Tools {
  readonly resources: Resources;
  readonly logger: Logger;
  readonly dataDir: string;
  readonly announce: (line: string) => void;
}

const STARTS = { baseline: startKafkaBaseline, product: startKafkaProduct } as const;

export async function measureKafka(options: BenchOptions, tools: Tools): Promise<KafkaCourse[]> {
  const servers = await brokerFor(tools);
  const users = Array.from({ length: options.sockets }, (_, at) => `teacher-${at + 1}`);
  const { announce } = tools;
  const heap = await pourHeap(servers, users, options, tools);
  const courses: KafkaCourse[] = [];
  for (const target of ["baseline", "product"] as const) {
    announce(`${target}: reads ${options.records} events that lie on the topic`);
    const reader = await STARTS[target](
      targetOptions("ingest", heap, target, servers, options, tools),
    );
    const ingest = await drainIngest(reader, options.records);
    await reader.stop();

    announce(`${target}: events to ${options.sockets} sockets`);
    const prefix = `bench-${randomUUID().slice(0, 8)}.`;
    const load = await openKafkaLoad({ servers, users, topic: `${prefix}${TEACHER_TOPIC}` });
    tools.resources.add("producer", () => load.close());
    const whole = await STARTS[target](
      targetOptions("ingest-to-socket", prefix, target, servers, options, tools),
    );
    const socket = await runSocketCourse(whole, load, { ...options, users }, tools.resources);
    await load.close();
    await whole.stop();
    courses.push({ target, ingest, socket });
  }
  return courses;
}

/** Nothing lost, doubled, astray or out of order on the way to the sockets. */
export function isGoodKafkaCourse({ socket }: KafkaCourse): boolean {
  return isSound(socket.judgement) && socket.dropped === 0;
}

function targetOptions(
  what: KafkaTargetOptions["what"],
  prefix: string,
  target: string,
  servers: string,
  { profile }: BenchOptions,
  tools: Tools,
): KafkaTargetOptions {
  const dataDir = path.join(tools.dataDir, `${target}-${what}`);
  return { ...tools, servers, prefix, what, profile, dataDir };
}

/** What both targets read in the first part. @returns the prefix of its topic */
async function pourHeap(
  servers: string,
  users: readonly string[],
  { records }: BenchOptions,
  { announce }: Tools,
): Promise<string> {
  const prefix = `bench-${randomUUID().slice(0, 8)}.`;
  const load = await openKafkaLoad({ servers, users, topic: `${prefix}${TEACHER_TOPIC}` });
  announce(`putting ${records} events on a topic`);
  await load.pour(records);
  await load.close();
  return prefix;
}

async function brokerFor({ resources, dataDir, announce }: Tools): Promise<string> {
  const given = process.env["KAFKA_BOOTSTRAP_SERVERS"];
  if (given !== undefined) return given;
  const port = await findFreePort();
  const broker = await startLocalBroker({ dataDir: path.join(dataDir, "kafka"), port, announce });
  resources.add("broker", () => broker.stop());
  return broker.servers;
}
