/** Where Kafka is and who we are there; what its client says goes to our log, without payloads. */
import { Kafka, logLevel, type KafkaConfig, type LogEntry } from "kafkajs";
import type { Config } from "../config-schema.ts";
import type { Logger } from "../logger.ts";
import { readAllCompressions } from "./compression.ts";
import { gatherHeadersOnce } from "./header-decoding.ts";
import { stopIdleTimers } from "./idle-timers.ts";
import { encodeRecordsAtOnce } from "./produce-encoding.ts";
import { replaceUnreadableBatches } from "./unreadable-batches.ts";

export interface KafkaSettings {
  /** `host:port` each. */
  readonly servers: readonly string[];
  readonly clientId: string;
  readonly ssl: boolean;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
}

/** Opens nothing by itself: consumers and producers connect when they start. */
export interface KafkaConnection {
  readonly servers: readonly string[];
  /** Only for the files beside this one. */
  readonly client: Kafka;
}

/** A broker that does not take the connection by then is taken for absent. */
const CONNECTION_TIMEOUT_MS = 3_000;
/** Longer than any broker takes for what we ask, except joining a group, which has a limit of its own. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Together about five seconds, after which our own waiting begins, which can be seen and stopped. */
const RETRY = { initialRetryTime: 100, retries: 5, maxRetryTime: 2_000 };

type ConnectionConfig = Pick<
  Config,
  | "KAFKA_BOOTSTRAP_SERVERS"
  | "KAFKA_CONSUMER_CLIENT_ID"
  | "KAFKA_SSL"
  | "KAFKA_SASL_MECHANISM"
  | "KAFKA_SASL_USERNAME"
  | "KAFKA_SASL_PASSWORD"
>;

/** @returns undefined if Kafka is off */
export function kafkaSettingsOf(config: ConnectionConfig): KafkaSettings | undefined {
  const servers = config.KAFKA_BOOTSTRAP_SERVERS;
  if (servers === undefined) return undefined;
  const mechanism = config.KAFKA_SASL_MECHANISM;
  return {
    servers,
    clientId: config.KAFKA_CONSUMER_CLIENT_ID,
    ssl: config.KAFKA_SSL,
    ...(mechanism === undefined
      ? {}
      : {
          sasl: {
            mechanism,
            username: config.KAFKA_SASL_USERNAME ?? "",
            password: config.KAFKA_SASL_PASSWORD ?? "",
          },
        }),
  };
}

export function createKafkaConnection(
  settings: KafkaSettings,
  logger: Pick<Logger, "debug" | "warn">,
): KafkaConnection {
  stopIdleTimers();
  readAllCompressions();
  gatherHeadersOnce();
  replaceUnreadableBatches();
  encodeRecordsAtOnce();
  const client = new Kafka({
    brokers: [...settings.servers],
    clientId: settings.clientId,
    ssl: settings.ssl,
    ...saslOf(settings),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => bridge(entry, logger),
  });
  return { servers: settings.servers, client };
}

function saslOf({ sasl }: KafkaSettings): Pick<KafkaConfig, "sasl"> {
  if (sasl === undefined) return {};
  const { mechanism, username, password } = sasl;
  // The types of the client tell the mechanisms apart one by one.
  switch (mechanism) {
    case "plain":
      return { sasl: { mechanism, username, password } };
    case "scram-sha-256":
      return { sasl: { mechanism, username, password } };
    case "scram-sha-512":
      return { sasl: { mechanism, username, password } };
  }
}

/**
 * Parts of the client that call each step of an ordinary reconnection or rebalance an error. What
 * comes of it is told by our own consumer and producer.
 */
const CHATTY: ReadonlySet<string> = new Set(["BrokerPool", "Connection", "Consumer", "Runner"]);
const TOLD_FIELDS = ["groupId", "topic", "partition", "broker", "error", "retryCount"] as const;

function bridge({ namespace, level, log }: LogEntry, logger: Pick<Logger, "debug" | "warn">): void {
  const fields = Object.fromEntries(
    TOLD_FIELDS.flatMap((name): [string, string | number][] => {
      const value: unknown = log[name];
      return typeof value === "string" || typeof value === "number" ? [[name, value]] : [];
    }),
  );
  const line = { client: namespace, reason: log.message, ...fields };
  if (level <= logLevel.WARN && !CHATTY.has(namespace)) logger.warn(line, "kafka.client");
  else logger.debug(line, "kafka.client");
}
