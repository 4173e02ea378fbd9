/** What reads the topic: the product, and the bare consumer that shows what reading itself costs. */
import { TEACHER_TOPIC } from "./kafka-load.ts";
import type { BenchContext } from "./scenarios.ts";
import { bareTarget, openProductTarget, PRODUCT_KEYS, type Target } from "./target.ts";

export interface Topic {
  readonly servers: string;
  /** In front of the topic's name; also the name of the consumer group. */
  readonly prefix: string;
}

/** Something that takes events in and delivers nothing. */
export interface Intake {
  readonly name: string;
  readonly pids: Target["pids"];
  /** Events dealt with so far: read by the bare consumer, in the ledger of the product. */
  taken(): Promise<number>;
  stop(): Promise<void>;
}

async function startBareReader(context: BenchContext, { servers, prefix }: Topic, group: string) {
  return await context.startServer({
    file: "test/bench/kafka-baseline-server.ts",
    env: {
      KAFKA_SERVERS: servers,
      KAFKA_TOPIC: `${prefix}${TEACHER_TOPIC}`,
      KAFKA_GROUP: `${prefix}${group}`,
    },
  });
}

function productEnv({ servers, prefix }: Topic, group: string): Record<string, string> {
  return {
    KAFKA_BOOTSTRAP_SERVERS: servers,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_CONSUMER_GROUP: `${prefix}${group}`,
  };
}

export async function openBareIntake(context: BenchContext, topic: Topic): Promise<Intake> {
  const server = await startBareReader(context, topic, "bare-intake");
  return {
    name: "bare consumer",
    pids: { server: server.pid },
    async taken() {
      const answer: unknown = await (await fetch(server.url)).json();
      const isCount = typeof answer === "object" && answer !== null && "records" in answer;
      return isCount ? Number(answer.records) : 0;
    },
    stop: () => server.stop(),
  };
}

/** Only the ingest role: without workers nothing settles, and each note has its due entry. */
export async function openProductIntake(context: BenchContext, topic: Topic): Promise<Intake> {
  const redis = await context.startRedis("intake-redis");
  const product = await context.startProduct({
    name: "intake",
    roles: ["ingest"],
    redis,
    env: productEnv(topic, "intake"),
  });
  const keys = Array.from({ length: PRODUCT_KEYS.shards }, (_, shard) =>
    PRODUCT_KEYS.sharded(shard, "due"),
  );
  return {
    name: "product",
    pids: { server: product.processes[0]?.pid ?? Number.NaN, redis: redis.pid },
    async taken() {
      const counts = await Promise.all(keys.map((key) => redis.client.zcard(key)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      await product.stop();
      await redis.stop();
    },
  };
}

/** The same, with the sockets' ends: it takes acknowledgements for nothing. */
export async function openBareDelivery(
  context: BenchContext,
  topic: Topic,
  sockets: number,
): Promise<Target> {
  const server = await startBareReader(context, topic, "bare-delivery");
  return bareTarget(server, sockets, { name: "bare consumer", token: "" });
}

/** @param roles one process for each */
export function openProductDelivery(
  context: BenchContext,
  topic: Topic,
  options: { readonly name: string; readonly roles: readonly string[]; readonly sockets: number },
): Promise<Target> {
  const { name, roles, sockets } = options;
  const env = productEnv(topic, name.replaceAll(" ", "-"));
  return openProductTarget(context, { name, roles, env }, { sockets, query: "ack=1" });
}
