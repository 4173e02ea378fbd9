/** Parses the environment once; a wrong value is named with its variable and what it may be. */
import type { z } from "zod";
import { configSchema, isSecret, type Config, type Role } from "./config-schema.ts";
import { DOMAIN_TOPIC_VARIABLES, type DomainTopicVariable } from "./config-schema-kafka.ts";
import { SMS_PROVIDER_VARIABLES, type SmsProviderName } from "./config-schema-sms.ts";

/** Something only the operator can set right; the message says what, and needs no stack trace. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** RFC 7518, 3.2: an HS256 secret has at least as many bytes as the digest. */
const LEAST_SECRET_BYTES = 32;

/** So long an event id is known (`ingest/idempotency.ts`). */
const EVENT_KEY_SECONDS = 604_800;
/** Enough to recognise a wrong value by. */
const MAX_SHOWN_LENGTH = 60;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError that names every wrong variable, one line each. */
export function readConfig(env: Environment): Config {
  const config = parseVariables(configSchema, env);
  assertConsistent(config);
  return config;
}

/**
 * Parses the variables that `schema`, the configuration's or a part of it, knows.
 * @throws ConfigError that says for every wrong one what it must be; values of secrets are not shown
 */
export function parseVariables<T extends z.ZodType>(schema: T, env: Environment): z.output<T> {
  // An empty value, as `NAME=` in an env file leaves it, means "not set".
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.map(({ path, message }) => {
      // Of a list, the message is about one entry; the variable is named all the same.
      const name = String(path[0] ?? "");
      const shown = isSecret(name) ? "" : `, not ${given[name]?.slice(0, MAX_SHOWN_LENGTH)}`;
      return `${name}: ${message}${shown}`;
    }),
  );
}

function invalid(faults: readonly string[]): ConfigError {
  return new ConfigError(
    `The configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
}

function assertConsistent(config: Config): void {
  const wrong: string[] = [];
  if ((config.VAPID_PUBLIC_KEY === undefined) !== (config.VAPID_PRIVATE_KEY === undefined)) {
    wrong.push("VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY belong together: set both or neither");
  }
  if (config.VAPID_PREVIOUS_KEYS.length > 0 && config.VAPID_PUBLIC_KEY === undefined) {
    wrong.push(
      "VAPID_PREVIOUS_KEYS needs VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: the pair after them",
    );
  }
  if ((config.TWILIO_ACCOUNT_SID === undefined) !== (config.TWILIO_AUTH_TOKEN === undefined)) {
    wrong.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN belong together: set both or neither");
  }
  if (
    config.TWILIO_ACCOUNT_SID !== undefined &&
    config.TWILIO_FROM_NUMBER === undefined &&
    config.TWILIO_MESSAGING_SERVICE_SID === undefined
  ) {
    wrong.push("Twilio needs TWILIO_FROM_NUMBER or TWILIO_MESSAGING_SERVICE_SID");
  }
  if (config.HEARTBEAT_TIMEOUT_MS <= config.HEARTBEAT_INTERVAL_MS) {
    wrong.push("HEARTBEAT_TIMEOUT_MS must be longer than HEARTBEAT_INTERVAL_MS");
  }
  if (config.PUSH_STALE_WARNING_DAYS >= config.PUSH_STALE_DAYS) {
    wrong.push("PUSH_STALE_WARNING_DAYS must be less than PUSH_STALE_DAYS");
  }
  if (config.DUE_LEASE_MS <= config.PROVIDER_TIMEOUT_MS) {
    wrong.push(
      "DUE_LEASE_MS must be longer than PROVIDER_TIMEOUT_MS: a send in flight would be taken for dead",
    );
  }
  wrong.push(...smsFaults(config), ...kafkaFaults(config));
  if (config.NODE_ENV === "production") wrong.push(...productionFaults(config));
  if (wrong.length > 0) throw invalid(wrong);
}

/** An SMS provider is configured where it has an address or account, and what it is trusted by. */
function isConfigured(config: Config, name: SmsProviderName): boolean {
  return SMS_PROVIDER_VARIABLES[name].every((variable) => config[variable] !== undefined);
}

function smsFaults(config: Config): string[] {
  const faults: string[] = [];
  if ((config.SMS_WEBHOOK_URL === undefined) !== (config.SMS_WEBHOOK_SECRET === undefined)) {
    faults.push("SMS_WEBHOOK_URL and SMS_WEBHOOK_SECRET belong together: set both or neither");
  }
  for (const name of config.SMS_PROVIDERS ?? []) {
    if (isConfigured(config, name)) continue;
    faults.push(
      `SMS_PROVIDERS names ${name}, which needs ${SMS_PROVIDER_VARIABLES[name].join(" and ")}`,
    );
  }
  return faults;
}

/** Texts and numbers travel to it; on the same machine they meet no network. */
function isOpenAddress(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Roles that only read events. */
const READERS: readonly Role[] = ["ingest", "projector"];

function kafkaFaults(config: Config): string[] {
  const faults: string[] = [];
  const login = [config.KAFKA_SASL_USERNAME, config.KAFKA_SASL_PASSWORD];
  const mechanism = config.KAFKA_SASL_MECHANISM;
  if (mechanism !== undefined && login.includes(undefined)) {
    faults.push("KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD");
  }
  if (mechanism === undefined && login.some((part) => part !== undefined)) {
    faults.push("KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM");
  }
  faults.push(...topicFaults(config));
  const onlyReads = config.ROLES.every((role) => READERS.includes(role));
  const bridges = config.REDIS_BRIDGE && config.ROLES.includes("ingest");
  if (onlyReads && config.KAFKA_BOOTSTRAP_SERVERS === undefined && !bridges) {
    faults.push(
      `ROLES=${config.ROLES.join(",")} has nothing to read: set KAFKA_BOOTSTRAP_SERVERS (or REDIS_BRIDGE=true for ingest)`,
    );
  }
  return faults;
}

type TopicVariable =
  | DomainTopicVariable
  | "KAFKA_TEACHER_TOPICS"
  | "TEACHER_NOTIFICATION_TOPIC"
  | "KAFKA_NOTIFICATIONS_TOPIC"
  | "KAFKA_OUTCOME_TOPIC"
  | "KAFKA_DEAD_LETTER_TOPIC";

const isDomainTopic = (name: string): name is DomainTopicVariable => name in DOMAIN_TOPIC_VARIABLES;

/** Only topics of one kind may be the same one. */
const TOPIC_KINDS: readonly (readonly TopicVariable[])[] = [
  ["KAFKA_TEACHER_TOPICS", "TEACHER_NOTIFICATION_TOPIC"],
  Object.keys(DOMAIN_TOPIC_VARIABLES).filter(isDomainTopic),
  ["KAFKA_NOTIFICATIONS_TOPIC"],
  ["KAFKA_OUTCOME_TOPIC"],
  ["KAFKA_DEAD_LETTER_TOPIC"],
];

/** What we write to a topic that we read as something else, we would put aside, perhaps for ever anew. */
function topicFaults(config: Config): string[] {
  const faults: string[] = [];
  const seen = new Map<string, { kind: number; variable: TopicVariable }>();
  for (const [kind, variables] of TOPIC_KINDS.entries()) {
    for (const variable of variables) {
      for (const topic of [config[variable]].flat()) {
        const other = seen.get(topic);
        if (other === undefined) seen.set(topic, { kind, variable });
        else if (other.kind !== kind) {
          faults.push(`${variable} and ${other.variable} must not both be ${topic}`);
        }
      }
    }
  }
  return faults;
}

function productionFaults(config: Config): string[] {
  const faults: string[] = [];
  if (config.REDIS_URL === undefined) {
    faults.push("REDIS_URL is required in production; the embedded Redis is for development");
  }
  if (config.JWT_SECRET_KEY === undefined && config.JWT_JWKS_URL === undefined) {
    faults.push("JWT_SECRET_KEY or JWT_JWKS_URL is required in production (npm run keys)");
  }
  if (config.JWT_SECRET_KEY?.some((secret) => Buffer.byteLength(secret) < LEAST_SECRET_BYTES)) {
    faults.push(
      `JWT_SECRET_KEY: every secret must have at least ${LEAST_SECRET_BYTES} bytes in production (npm run keys)`,
    );
  }
  const sendsSms = config.TWILIO_ACCOUNT_SID ?? config.SMS_WEBHOOK_URL;
  if (sendsSms !== undefined && config.PUBLIC_URL === undefined) {
    faults.push(
      "PUBLIC_URL is required in production with SMS: links in SMS lead to your own application there",
    );
  }
  if (config.SMS_WEBHOOK_URL !== undefined && isOpenAddress(config.SMS_WEBHOOK_URL)) {
    faults.push(
      "SMS_WEBHOOK_URL must begin with https in production: it is sent texts and phone numbers",
    );
  }
  if (config.DATA_ENCRYPTION_KEY === undefined) {
    faults.push("DATA_ENCRYPTION_KEY is required in production (npm run keys)");
  }
  if (config.NOTE_TTL_SECONDS < EVENT_KEY_SECONDS) {
    faults.push(
      `NOTE_TTL_SECONDS must be at least ${EVENT_KEY_SECONDS} in production: an event that comes again within a week must find its notification`,
    );
  }
  if (config.RATE_LIMITS === "off") {
    faults.push("RATE_LIMITS=off is for load tests and is refused in production");
  }
  return faults;
}
