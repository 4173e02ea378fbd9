/** What is measured: the product, and the baseline that shows what the measurement itself costs. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { z } from "zod";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { startEmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import type { Logger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import { startChildServer } from "./child-server.ts";

export interface Target {
  readonly name: "baseline" | "product";
  readonly url: string;
  /** Of the one service that sends. */
  readonly token: string;
  readonly users: readonly string[];
  /** Where each user's socket is opened, with the token in it. */
  readonly addresses: readonly string[];
  readonly serverPid: number;
  readonly redisPid: number | undefined;
  /** How many deliveries the product's own analytics count; undefined where there are none. */
  counted(): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface TargetOptions {
  readonly sockets: number;
  /** A folder that is deleted afterwards. */
  readonly dataDir: string;
  readonly profile: string | undefined;
  readonly resources: Resources;
  readonly logger: Logger;
  readonly announce: (line: string) => void;
}

/** Longer than any run. */
const TOKEN_SECONDS = 6 * 3_600;

function usersOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `teacher-${at + 1}`);
}

function addressesOf(url: string, tokens: readonly string[]): string[] {
  const base = url.replace(/^http/, "ws");
  return tokens.map((token) => `${base}/ws/notify?token=${encodeURIComponent(token)}`);
}

/** In the baseline a token is just the user's name. */
export async function startBaseline(options: TargetOptions): Promise<Target> {
  const { resources, sockets } = options;
  const server = await startChildServer({
    file: "test/bench/baseline-server.ts",
    env: {},
    resources,
  });
  const users = usersOf(sockets);
  return {
    name: "baseline",
    url: server.url,
    token: "service",
    users,
    addresses: addressesOf(server.url, users),
    serverPid: server.pid,
    redisPid: undefined,
    counted: async () => undefined,
    stop: () => server.stop(),
  };
}

/** Everything is switched on but the rate limits; data is encrypted, as in production. */
export async function startProduct(options: TargetOptions): Promise<Target> {
  const { resources, dataDir, logger, announce, profile } = options;
  const redis = await startEmbeddedRedis({ dataDir, appendOnly: true, logger, announce });
  resources.add("redis", () => redis.stop());
  const secret = randomBytes(32).toString("base64url");
  const server = await startChildServer({
    file: "src/main.ts",
    nodeOptions: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    env: {
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      HOST: "127.0.0.1",
      PORT: "0",
      RATE_LIMITS: "off",
      LOG_LEVEL: "warn",
      JWT_SECRET_KEY: secret,
      DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    },
    resources,
  });
  const signer = createTokenSigner(secret);
  const sign = (userId: string, scopes: readonly string[]): Promise<string> =>
    signer.sign({ userId, scopes, ttlSeconds: TOKEN_SECONDS });
  const token = await sign("service-bench", ["notify:send", "analytics:read"]);
  const users = usersOf(options.sockets);
  return {
    name: "product",
    url: server.url,
    token,
    users,
    addresses: addressesOf(server.url, await Promise.all(users.map((user) => sign(user, [])))),
    serverPid: server.pid,
    redisPid: await pidOf(redis.url),
    counted: () => readCounted(server.url, token),
    async stop() {
      await server.stop();
      await redis.stop();
    },
  };
}

async function pidOf(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]);
  } finally {
    redis.disconnect();
  }
}

const analyticsSchema = z.object({
  delivery_stats: z.object({ websocket: z.object({ delivered: z.number() }) }),
});

async function readCounted(url: string, token: string): Promise<number> {
  const answer = await fetch(`${url}/analytics`, { headers: { authorization: `Bearer ${token}` } });
  return analyticsSchema.parse(await answer.json()).delivery_stats.websocket.delivered;
}
