/** What reads the topic: the product, and the bare consumer that shows what reading itself costs. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { startEmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import type { Logger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import { startChildServer } from "./child-server.ts";
import { TEACHER_TOPIC } from "./kafka-load.ts";

export interface KafkaTarget {
  readonly name: "baseline" | "product";
  readonly serverPid: number;
  readonly redisPid: number | undefined;
  /** Events dealt with so far: read by the bare consumer, in the ledger of the product. */
  taken(): Promise<number>;
  /** Where each user's socket is opened. */
  addresses(users: readonly string[]): Promise<string[]>;
  stop(): Promise<void>;
}

export interface KafkaTargetOptions {
  readonly servers: string;
  /** In front of the topic's name; also the name of the consumer group. */
  readonly prefix: string;
  /** Only `ingest`: nothing delivers what is taken in. */
  readonly what: "ingest" | "ingest-to-socket";
  readonly profile: string | undefined;
  readonly dataDir: string;
  readonly resources: Resources;
  readonly logger: Logger;
  readonly announce: (line: string) => void;
}

const TOKEN_SECONDS = 6 * 3_600;
/** The product's default. */
const SHARDS = 16;
const PREFIX = "sb:";
const ROLES = { ingest: "ingest", "ingest-to-socket": "api,gateway,worker,ingest" } as const;

export async function startKafkaBaseline(options: KafkaTargetOptions): Promise<KafkaTarget> {
  const { servers, prefix, resources } = options;
  const server = await startChildServer({
    file: "test/bench/kafka-baseline-server.ts",
    env: {
      KAFKA_SERVERS: servers,
      KAFKA_TOPIC: `${prefix}${TEACHER_TOPIC}`,
      KAFKA_GROUP: `${prefix}baseline-${options.what}`,
    },
    resources,
  });
  return {
    name: "baseline",
    serverPid: server.pid,
    redisPid: undefined,
    async taken() {
      const answer: unknown = await (await fetch(server.url)).json();
      const isCount = typeof answer === "object" && answer !== null && "records" in answer;
      return isCount ? Number(answer.records) : 0;
    },
    addresses: (users) => Promise.resolve(users.map((user) => addressOf(server.url, user))),
    stop: () => server.stop(),
  };
}

/** Everything is switched on but the rate limits; data is encrypted, as in production. */
export async function startKafkaProduct(options: KafkaTargetOptions): Promise<KafkaTarget> {
  const { servers, prefix, what, dataDir, resources, logger, announce, profile } = options;
  const server = await startEmbeddedRedis({ dataDir, appendOnly: true, logger, announce });
  resources.add("redis", () => server.stop());
  const redis = new Redis(server.url);
  resources.add("redis client", () => redis.disconnect());
  const keyspace = createKeyspace({ shards: SHARDS, prefix: PREFIX });
  const secret = randomBytes(32).toString("base64url");
  const child = await startChildServer({
    file: "src/main.ts",
    nodeOptions: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    env: {
      ROLES: ROLES[what],
      REDIS_URL: server.url,
      DATA_DIR: dataDir,
      HOST: "127.0.0.1",
      PORT: "0",
      RATE_LIMITS: "off",
      LOG_LEVEL: "warn",
      JWT_SECRET_KEY: secret,
      DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      KAFKA_BOOTSTRAP_SERVERS: servers,
      KAFKA_TOPIC_PREFIX: prefix,
      KAFKA_CONSUMER_GROUP: `${prefix}${what}`,
    },
    resources,
  });
  const signer = createTokenSigner(secret);
  return {
    name: "product",
    serverPid: child.pid,
    redisPid: Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]),
    async taken() {
      // Without workers nothing settles, and each note has its entry here.
      const shards = Array.from({ length: SHARDS }, (_, shard) => keyspace.sharded(shard, "due"));
      const counts = await Promise.all(shards.map((key) => redis.zcard(key)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    addresses: (users) =>
      Promise.all(
        users.map(async (userId) =>
          addressOf(
            child.url,
            await signer.sign({ userId, scopes: [], ttlSeconds: TOKEN_SECONDS }),
          ),
        ),
      ),
    async stop() {
      await child.stop();
      redis.disconnect();
      await server.stop();
    },
  };
}

function addressOf(url: string, token: string): string {
  return `${url.replace(/^http/, "ws")}/ws/notify?token=${encodeURIComponent(token)}`;
}
