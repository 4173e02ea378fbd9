/** Every environment variable: its meaning, its default, what it may be. The only list of them. */
import { z } from "zod";
import { KAFKA_VARIABLES } from "./config-schema-kafka.ts";
import { SMS_VARIABLES } from "./config-schema-sms.ts";
import {
  address,
  addresses,
  flag,
  list,
  oneOf,
  rising,
  text,
  wholeNumber,
} from "./config-values.ts";
import { MAX_SHARDS } from "./keyspace.ts";

export const ROLES = ["api", "gateway", "worker", "ingest", "projector"] as const;
export type Role = (typeof ROLES)[number];

/** Part of a name for the variables whose value no message may repeat. */
const SECRET_NAME = /_(KEYS?|TOKEN|PASSWORD|SECRET)$/;
/** An address of Redis may hold its password, one of a gateway a key. */
const SECRET_ADDRESSES: readonly string[] = ["REDIS_URL", "SMS_WEBHOOK_URL"];

export function isSecret(variable: string): boolean {
  return SECRET_NAME.test(variable) || SECRET_ADDRESSES.includes(variable);
}

const port = wholeNumber(0, 65_535);
const milliseconds = wholeNumber(1, 86_400_000);
const webAddress = (example: string) => address(/^https?$/, example);

const base64Keys = list
  .transform((values) => values.map((value) => Buffer.from(value, "base64")))
  .refine(
    (keys) => keys.length > 0 && keys.every((key) => key.length === 32),
    "must be 32 bytes in base64 (npm run keys makes one), or a comma list of such",
  );

const secretList = list.refine(
  (secrets) => secrets.length > 0,
  "must hold at least one secret (npm run keys makes one)",
);

/** `public:private`, each in base64url, which has neither colons nor commas. */
const KEY_PAIR = /^[\w-]{1,128}:[\w-]{1,128}$/;

const keyPairs = list
  .refine(
    (entries) => entries.every((entry) => KEY_PAIR.test(entry)),
    "must be public:private in base64url, or a comma list of such (npm run keys -- --rotate-vapid)",
  )
  .transform((entries) =>
    entries.map((entry) => {
      const [publicKey = "", privateKey = ""] = entry.split(":");
      return { publicKey, privateKey };
    }),
  );

const roleList = list.transform((names, context): Role[] => {
  if (names.includes("all")) return [...ROLES];
  const known = ROLES.filter((role) => names.includes(role));
  const strange = names.filter((name) => !ROLES.some((role) => role === name));
  if (strange.length > 0 || known.length === 0) {
    const unknown = strange.length === 0 ? "" : `unknown role ${strange.join(", ")}; `;
    context.addIssue(`${unknown}must be all, or a comma list of ${ROLES.join(", ")}`);
  }
  return known;
});

/** Groups and order are those of `.env.example` and `npm start -- --help`. */
export const CONFIG_GROUPS = {
  process: {
    NODE_ENV: oneOf(["development", "production", "test"])
      .default("development")
      .describe("production refuses development keys and the embedded Redis"),
    HOST: text.optional().describe("address to listen on; 127.0.0.1 in development, else 0.0.0.0"),
    PORT: port.default(8003).describe("HTTP and WebSocket port; 0 picks a free one"),
    WS_PORT: port.optional().describe("a second listener with the same routes"),
    ROLES: roleList.prefault("all").describe(`comma list of ${ROLES.join(", ")}; or all`),
    SHARDS: wholeNumber(1, MAX_SHARDS)
      .default(16)
      .describe("slices of the users; stored in Redis at first start and fixed from then on"),
    KEY_PREFIX: z
      .string()
      .regex(
        /^[A-Za-z0-9_.-]*:?$/,
        "must hold only letters, digits and _ . - with a colon at the end",
      )
      .default("sb:")
      .describe("in front of every Redis key and channel"),
    DATA_DIR: text.default(".data").describe("where the embedded Redis and development keys live"),
    PUBLIC_URL: webAddress("https://app.example.org")
      .optional()
      .describe(
        "where links in messages lead: the address of your own application; required in production " +
          "with SMS (Schoolbell serves such pages only in development)",
      ),
    TRUST_PROXY: wholeNumber(0, 10)
      .default(0)
      .describe("number of trusted reverse proxies in front"),
    CORS_ORIGINS: list
      .default([])
      .describe("comma list of origins that may call the REST API from a browser"),
    WS_ALLOWED_ORIGINS: list.default([]).describe("comma list of origins for sockets; empty: any"),
    MAX_CONNECTIONS: wholeNumber(1, 1_000_000)
      .default(15_000)
      .describe("open sockets per gateway process"),
    MAX_CONNECTIONS_PER_USER: wholeNumber(1, 1_000)
      .default(10)
      .describe("open sockets per user and gateway process"),
    LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .default("info")
      .describe("least severe log line that is written"),
  },
  storage: {
    REDIS_URL: addresses(/^rediss?$/, "redis://redis.example:6379/0")
      .optional()
      .describe(
        "Redis 7, or a comma list of some nodes of a Redis Cluster; unset: an embedded one " +
          "(development only)",
      ),
    DATA_ENCRYPTION_KEY: base64Keys
      .optional()
      .describe(
        "32 bytes in base64: encrypts requests, history, numbers and subscriptions; comma list for rotation: the first seals, all open",
      ),
    MAX_QUEUE_DEPTH: wholeNumber(1, 100_000_000)
      .default(1_000_000)
      .describe("unsettled notifications above which new ones are refused with 503"),
    REPLAY_HISTORY_SIZE: wholeNumber(1, 1_000)
      .default(100)
      .describe("messages kept per user for replay"),
    PENDING_TTL_SECONDS: wholeNumber(1, 86_400)
      .default(300)
      .describe("how long a message that met no socket is sent to the next socket unasked"),
    HISTORY_TTL_SECONDS: wholeNumber(60, 31_536_000)
      .default(604_800)
      .describe("how long a user's history is kept"),
    NOTE_TTL_SECONDS: wholeNumber(1, 31_536_000)
      .default(2_592_000)
      .describe("how long a settled notification is kept; in production at least a week"),
  },
  tokens: {
    JWT_SECRET_KEY: secretList
      .optional()
      .describe(
        "HS256 secrets of at least 32 bytes, comma list for rotation; unset in development: one is made",
      ),
    JWT_JWKS_URL: webAddress("https://id.example.org/jwks.json")
      .optional()
      .describe("key set for RS256, ES256 or EdDSA tokens"),
    JWT_ISSUER: text.optional().describe("required iss claim"),
    JWT_AUDIENCE: text.optional().describe("required aud claim"),
  },
  push: {
    VAPID_PUBLIC_KEY: text.optional().describe("unset in development: a pair is made"),
    VAPID_PRIVATE_KEY: text.optional().describe("the other half of the pair"),
    VAPID_PREVIOUS_KEYS: keyPairs
      .default([])
      .describe("public:private pairs before it, latest first: they sign for older subscriptions"),
    VAPID_SUBJECT: text
      .regex(/^(mailto:|https:)/, "must be a mailto: or https: address")
      .default("mailto:operator@example.org")
      .describe("whom a push service can write to about this sender"),
    PUSH_ALLOWED_HOSTS: list
      .default([
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
      ])
      .describe("push services; a full origin alone permits a plain or private address"),
    PUSH_STALE_DAYS: wholeNumber(2, 3_650)
      .default(60)
      .describe("a browser that was not seen for so long is given up"),
    PUSH_STALE_WARNING_DAYS: wholeNumber(1, 3_649)
      .default(14)
      .describe("its person is told so long before; less than PUSH_STALE_DAYS"),
    PUSH_ICON_URL: text.default("/icon.png").describe("icon of a push notification"),
  },
  sms: {
    TWILIO_ACCOUNT_SID: text.optional().describe("unset: SMS goes to the outbox (development)"),
    TWILIO_AUTH_TOKEN: text.optional().describe("secret of the account"),
    TWILIO_FROM_NUMBER: text.optional().describe("sending number, or"),
    TWILIO_MESSAGING_SERVICE_SID: text.optional().describe("messaging service to send through"),
    TWILIO_KEYWORD_REPLIES: oneOf(["on", "off"])
      .default("on")
      .describe(
        "whether STOP, START and HELP are answered by us where Twilio does not say (OptOutType) that " +
          "it did; off where the default answers of your numbers are enough",
      ),
    TWILIO_API_URL: webAddress("http://127.0.0.1:4010")
      .optional()
      .describe("sends Twilio's requests elsewhere: tests, proxies"),
    CALLBACK_URL: webAddress("https://notify.example.org")
      .optional()
      .describe(
        "where SMS providers reach this service with what became of a message; unset: PUBLIC_URL, " +
          "if that is https",
      ),
    SMS_LOOKUP_SECONDS: rising(1, 86_400)
      .prefault("30,120,600,3600")
      .describe(
        "comma list: how long after an SMS was sent whose answer never came the provider is asked " +
          "whether it took it; it counts as failed after the last",
      ),
    ...SMS_VARIABLES,
  },
  kafka: KAFKA_VARIABLES,
  content: {
    TEMPLATES_DIR: text.optional().describe("folder with an installation's own templates"),
    LOCALES_DIR: text.optional().describe("folder with an installation's own texts"),
    DEFAULT_LOCALE: oneOf(["en", "es", "sv", "fr", "ar", "zh", "vi"])
      .default("en")
      .describe("language where neither the request nor the person says"),
    AUTO_DEADLINE_WARNINGS: flag().describe(
      "whether a question about a batch schedules its own warning, four hours before its deadline",
    ),
  },
  limits: {
    RATE_LIMITS: oneOf(["on", "off"])
      .default("on")
      .describe("off turns all limits off, for load tests; refused in production"),
    RATE_LIMIT_SERVICE_PER_MINUTE: wholeNumber(1, 100_000_000)
      .default(60_000)
      .describe("requests a minute by a token that may notify"),
    RATE_LIMIT_USER_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(60)
      .describe("requests a minute by any other token"),
    RATE_LIMIT_SUBSCRIBE_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(20)
      .describe("push subscriptions a minute by one user"),
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: wholeNumber(1, 100_000_000)
      .default(6_000)
      .describe("requests a minute without a valid token by one address; a school may share one"),
    RATE_LIMIT_RECIPIENT_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(60)
      .describe("notifications a minute to one user; standard and low ones above are suppressed"),
  },
  timing: {
    HEARTBEAT_INTERVAL_MS: milliseconds.default(30_000).describe("between heartbeats on a socket"),
    HEARTBEAT_TIMEOUT_MS: milliseconds
      .default(90_000)
      .describe("silence after which a socket is closed"),
    DUE_POLL_MS: milliseconds.default(250).describe("between looks at the due index"),
    DUE_LEASE_MS: milliseconds
      .default(30_000)
      .describe("how long a step may take before another worker takes it up"),
    QUEUE_LOCK_MS: milliseconds.default(10_000).describe("lock of a queue job"),
    QUEUE_STALL_MS: milliseconds.default(5_000).describe("between looks for stalled queue jobs"),
    GATEWAY_ANSWER_MS: milliseconds
      .default(1_500)
      .describe("how long gateways may take to say that a frame was written"),
    ACK_WAIT_MS: milliseconds
      .default(5_000)
      .describe("how long a critical frame may wait for the client's ack"),
    CRITICAL_PUSH_BUDGET_MS: milliseconds
      .default(10_000)
      .describe("how long push may fail before a critical notification goes on to SMS"),
    PRESENCE_INTERVAL_MS: wholeNumber(1, 30_000)
      .default(30_000)
      .describe("between rewrites of who is connected here"),
    PROVIDER_TIMEOUT_MS: milliseconds
      .default(10_000)
      .describe("how long a push service or SMS provider may take to answer"),
    SHUTDOWN_DEADLINE_MS: milliseconds
      .default(10_000)
      .describe("how long a stop may take after SIGTERM"),
  },
} as const;

export const configSchema = z.object({
  ...CONFIG_GROUPS.process,
  ...CONFIG_GROUPS.storage,
  ...CONFIG_GROUPS.tokens,
  ...CONFIG_GROUPS.push,
  ...CONFIG_GROUPS.sms,
  ...CONFIG_GROUPS.kafka,
  ...CONFIG_GROUPS.content,
  ...CONFIG_GROUPS.limits,
  ...CONFIG_GROUPS.timing,
});

/** What the environment says, parsed. Read once, in `main.ts` and the command line. */
export type Config = Readonly<z.infer<typeof configSchema>>;
