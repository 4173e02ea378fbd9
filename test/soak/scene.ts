/** The product with each role as a process of its own, on a Redis, push service and Twilio of the soak's. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createTokenSigner, type TokenSigner } from "../../src/auth/token-signer.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { findFreePort, startLocalBroker } from "../../src/platform/kafka/local-broker.ts";
import { createLogger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import { startBenchRedis, type BenchRedis } from "../bench/bench-redis.ts";
import { startChildServer } from "../bench/child-server.ts";
import { openKafkaLoad, TEACHER_TOPIC, type KafkaLoad } from "../bench/kafka-load.ts";
import { say } from "../support/measuring-command.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { startTwilio, type TwilioService } from "../support/twilio.ts";
import type { SoakOptions } from "./arguments.ts";
import { gaugedEnv } from "./process-gauge.ts";

/** Few, so that a shard's trail reaches its limit and is cut within half an hour. */
const SHARDS = 2;
/** Of settled notes: so short that as many run out as are made, after a few minutes. */
const NOTE_SECONDS = 120;
const POLL_MS = 200;
const SETTLING_MS = 60_000;

/** What fills up is full before the second half, and what is silent is found out while it lasts. */
const SHORT_LIVES = {
  SHARDS: String(SHARDS),
  NOTE_TTL_SECONDS: String(NOTE_SECONDS),
  REPLAY_HISTORY_SIZE: "40",
  PENDING_TTL_SECONDS: "60",
  HEARTBEAT_INTERVAL_MS: "5000",
  HEARTBEAT_TIMEOUT_MS: "15000",
  // Bursts to one person are part of the load.
  RATE_LIMIT_RECIPIENT_PER_MINUTE: "1000000",
  RATE_LIMIT_USER_PER_MINUTE: "100000",
  RATE_LIMIT_ANONYMOUS_PER_MINUTE: "100000",
  // Few people with a telephone, who get more in an hour than anybody would in a day.
  SMS_CAP_USER_DAY: "100000",
  SMS_CAP_NUMBER_DAY: "100000",
  SMS_SEGMENTS_PER_SECOND: "1000",
};

export interface SoakProcess {
  readonly role: string;
  readonly url: string;
  readonly pid: number;
  /** Where it writes what it holds. */
  readonly file: string;
}

export interface SoakScene {
  readonly processes: readonly SoakProcess[];
  readonly redis: BenchRedis;
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  readonly signer: TokenSigner;
  readonly vapidPublicKey: string;
  readonly push: PushService;
  readonly twilio: TwilioService;
  /** Undefined without `--kafka`. */
  readonly events: KafkaLoad | undefined;
  /** How many notes are unsettled. */
  unsettled(): Promise<number>;
  /** Resolves with how many are left when nothing is unsettled, or a minute is over. */
  settle(): Promise<number>;
}

export async function openScene(
  options: SoakOptions,
  users: readonly string[],
  dataDir: string,
  resources: Resources,
): Promise<SoakScene> {
  const logger = createLogger({ level: "warn" });
  const redis = await startBenchRedis({ name: "redis", dataDir, resources, logger, announce: say });
  const [push, twilio] = [await startPushService(), await startTwilio()];
  resources.add("push service", () => push.close());
  resources.add("twilio", () => twilio.close());
  const kafka = options.kafka ? await openEvents(users, dataDir, resources) : undefined;
  const secret = randomBytes(32).toString("base64url");
  const vapid = makeVapidPair();
  const env = {
    ...SHORT_LIVES,
    ...kafka?.env,
    REDIS_URL: redis.url,
    DATA_DIR: path.join(dataDir, "product"),
    HOST: "127.0.0.1",
    PORT: "0",
    LOG_LEVEL: "error",
    MAX_CONNECTIONS: String(4 * options.sockets),
    JWT_SECRET_KEY: secret,
    DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    PUSH_ALLOWED_HOSTS: push.origin,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_FROM_NUMBER: "+15005550006",
    TWILIO_API_URL: twilio.url,
  };
  const processes: SoakProcess[] = [];
  const readers = kafka === undefined ? [] : ["ingest", "projector"];
  for (const role of ["api", "gateway", "worker", ...readers]) {
    const file = path.join(dataDir, `${role}-memory.json`);
    const { url, pid } = await startChildServer({
      file: "src/main.ts",
      nodeOptions: snapshotOptions(options),
      env: { ...env, ...gaugedEnv(file, options.collect > 0), ROLES: role },
      resources,
    });
    processes.push({ role, url, pid, file });
  }
  const urlOf = (role: string): string => processes.find((one) => one.role === role)?.url ?? "";
  const keyspace = createKeyspace({ shards: SHARDS, prefix: "sb:" });
  const unsettled = async (): Promise<number> => {
    const shards = Array.from({ length: SHARDS }, (_, shard) => keyspace.sharded(shard, "due"));
    const counts = await Promise.all(shards.map((key) => redis.client.zcard(key)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return {
    processes,
    redis,
    apiUrl: urlOf("api"),
    gatewayUrl: urlOf("gateway").replace(/^http/, "ws"),
    signer: createTokenSigner(secret),
    vapidPublicKey: vapid.publicKey,
    push,
    twilio,
    events: kafka?.load,
    unsettled,
    async settle() {
      const giveUpAt = performance.now() + SETTLING_MS;
      let left = await unsettled();
      while (left > 0 && performance.now() < giveUpAt) {
        await delay(POLL_MS);
        left = await unsettled();
      }
      return left;
    },
  };
}

function snapshotOptions({ snapshots }: SoakOptions): string[] {
  return snapshots === undefined
    ? []
    : ["--heapsnapshot-signal=SIGWINCH", `--diagnostic-dir=${path.resolve(snapshots)}`];
}

async function openEvents(users: readonly string[], dataDir: string, resources: Resources) {
  const prefix = "soak.";
  const port = await findFreePort();
  const broker = await startLocalBroker({
    dataDir: path.join(dataDir, "kafka"),
    port,
    announce: say,
  });
  resources.add("broker", () => broker.stop());
  const { servers } = broker;
  const load = await openKafkaLoad({ servers, users, topic: `${prefix}${TEACHER_TOPIC}` });
  resources.add("producer", () => load.close());
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers, KAFKA_TOPIC_PREFIX: prefix };
  return { load, env };
}
