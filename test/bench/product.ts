/** The product as it runs in earnest: one process, or one for each role, on a Redis of its own. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import type { Resources } from "../../src/platform/resources.ts";
import type { BenchRedis } from "./bench-redis.ts";
import { startChildServer, type ChildServer } from "./child-server.ts";

export interface ProductOptions {
  /** Of its folder, and in the names of its profiles. */
  readonly name: string;
  /** One process for each, as in `ROLES`: `["all"]` unless given, or `["api", "gateway", "worker"]`. */
  readonly roles?: readonly string[];
  readonly redis: BenchRedis;
  /** On top of what the bench sets. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProductProcess {
  /** What it was started with. */
  readonly roles: string;
  readonly url: string;
  readonly pid: number;
}

export interface Product {
  readonly processes: readonly ProductProcess[];
  readonly redis: BenchRedis;
  /** Where requests go, and where sockets are opened; the same if one process does both. */
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  /** Of the one service that sends. */
  readonly token: string;
  /** Where a user's socket is opened, with a token in it. @param query more of it: `ack=1` */
  socketAddress(userId: string, query?: string): Promise<string>;
  /** By the product's own analytics: how many a gateway took, and how many clients acknowledged. */
  counted(): Promise<{ readonly delivered: number; readonly confirmed: number }>;
  stop(): Promise<void>;
}

/** Longer than any run. */
const TOKEN_SECONDS = 6 * 3_600;

const analyticsSchema = z.object({
  delivery_stats: z.object({
    websocket: z.object({ delivered: z.number(), confirmed: z.number() }),
  }),
});

/** Everything is switched on but the rate limits; data is encrypted, as in production. */
export async function startProduct(
  options: ProductOptions & {
    readonly dataDir: string;
    readonly profile: string | undefined;
    readonly resources: Resources;
  },
): Promise<Product> {
  const { name, roles = ["all"], redis, profile, resources } = options;
  const secret = randomBytes(32).toString("base64url");
  const env = {
    REDIS_URL: redis.url,
    DATA_DIR: path.join(options.dataDir, name),
    HOST: "127.0.0.1",
    PORT: "0",
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
    JWT_SECRET_KEY: secret,
    DATA_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    ...options.env,
  };
  const processes: (ProductProcess & ChildServer)[] = [];
  // One after the other: the first makes the keys that the others find.
  for (const one of roles) {
    const server = await startChildServer({
      file: "src/main.ts",
      nodeOptions: profile === undefined ? [] : profilingOptions(profile, `${name}-${one}`),
      env: { ...env, ROLES: one },
      resources,
    });
    processes.push({ roles: one, ...server });
  }
  const urlOf = (role: string): string =>
    processes.find((one) => one.roles === "all" || one.roles.split(",").includes(role))?.url ?? "";
  const [apiUrl, gatewayUrl] = [urlOf("api"), urlOf("gateway")];
  const signer = createTokenSigner(secret);
  const sign = (userId: string, scopes: readonly string[]): Promise<string> =>
    signer.sign({ userId, scopes, ttlSeconds: TOKEN_SECONDS });
  const token = await sign("service-bench", ["notify:send", "analytics:read"]);

  return {
    processes,
    redis,
    apiUrl,
    gatewayUrl,
    token,
    async socketAddress(userId, query) {
      const own = encodeURIComponent(await sign(userId, []));
      const more = query === undefined ? "" : `&${query}`;
      return `${gatewayUrl.replace(/^http/, "ws")}/ws/notify?token=${own}${more}`;
    },
    async counted() {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${apiUrl}/analytics`, { headers });
      return analyticsSchema.parse(await answer.json()).delivery_stats.websocket;
    },
    async stop() {
      for (const one of processes.toReversed()) await one.stop();
    },
  };
}

function profilingOptions(folder: string, name: string): string[] {
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}
