/** The product as it runs in earnest: its roles in processes of their own, which can be killed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { startChildProduct, type ChildProduct } from "../support/child-product.ts";

const SECRET = "a-secret-for-replayed-traces-that-is-long-enough-for-hs256";
const TOKEN_SECONDS = 6 * 3_600;
const METRIC_LINE = /^schoolbell_events_total\{([^}]*)\} (\d+)$/gm;

/** In the order in which they are stopped: those that read go first. */
export const PARTS = ["projector", "ingest", "worker", "front"] as const;
export type Part = (typeof PARTS)[number];

/** `front` serves sockets: the API and the gateway. */
const ROLES_OF: Readonly<Record<Part, string>> = {
  front: "api,gateway",
  worker: "worker",
  ingest: "ingest",
  projector: "projector",
};

export interface CastOptions {
  readonly redisUrl: string;
  readonly servers: string;
  readonly keyspace: Pick<Keyspace, "prefix" | "shards">;
  readonly topicPrefix: string;
  /** Further variables, such as `MAX_EVENT_AGE_SECONDS`. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Cast {
  /** Groups of the two consuming roles. */
  readonly groups: { readonly ingest: string; readonly projector: string };
  /** Starts one more process of this part, with variables of its own; resolves when it runs. */
  start(part: Part, env?: Readonly<Record<string, string>>): Promise<ChildProduct>;
  /** Those of this part that were started and neither stopped nor killed through `end`. */
  running(part: Part): readonly ChildProduct[];
  /** Ends one process: `kill` is SIGKILL. */
  end(child: ChildProduct, how: "kill" | "stop"): Promise<void>;
  /** Where the person's socket is opened, with a token in it. */
  socketAddress(userId: string): Promise<string>;
  /** How often each outcome was counted: `ingest accepted`, `projector skipped stale`. */
  counts(): Promise<ReadonlyMap<string, number>>;
  /** The end of each process's log, for a failure's message. */
  logs(): string;
  /** Stops all that still run. @returns a sentence for each that did not end in good order */
  close(): Promise<string[]>;
}

export async function assembleCast(options: CastOptions): Promise<Cast> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-cast-"));
  const vapid = makeVapidPair();
  const group = `trace-${options.topicPrefix}`;
  const env = {
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    LOG_LEVEL: "warn",
    RATE_LIMITS: "off",
    DATA_DIR: dataDir,
    JWT_SECRET_KEY: SECRET,
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    REDIS_URL: options.redisUrl,
    KEY_PREFIX: options.keyspace.prefix,
    SHARDS: String(options.keyspace.shards),
    KAFKA_BOOTSTRAP_SERVERS: options.servers,
    KAFKA_TOPIC_PREFIX: options.topicPrefix,
    KAFKA_CONSUMER_GROUP: group,
    ...options.env,
  };
  const signer = createTokenSigner(SECRET);
  const parts = new Map<ChildProduct, Part>();

  const running = (part: Part): ChildProduct[] =>
    [...parts].flatMap(([child, its]) => (its === part ? [child] : []));

  return {
    groups: { ingest: group, projector: `${group}-projector` },
    running,
    async start(part, own) {
      const child = startChildProduct({ ...env, ROLES: ROLES_OF[part], ...own });
      parts.set(child, part);
      await child.url;
      return child;
    },
    async end(child, how) {
      parts.delete(child);
      if (how === "kill") return await child.kill();
      const code = await child.stop();
      if (code !== 0) throw new Error(`a process ended with ${code}: ${child.log()}`);
    },
    async socketAddress(userId) {
      const [front] = running("front");
      if (front === undefined) throw new Error("nobody serves sockets");
      const url = new URL("/ws/notify", (await front.url).replace("http", "ws"));
      const token = await signer.sign({ userId, scopes: [], ttlSeconds: TOKEN_SECONDS });
      url.searchParams.set("token", token);
      return url.href;
    },
    async counts() {
      const sums = new Map<string, number>();
      for (const child of [...running("ingest"), ...running("projector")]) {
        const text = await (await fetch(`${await child.url}/metrics`)).text();
        for (const [, labels = "", count] of text.matchAll(METRIC_LINE)) {
          const value = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
          const name = [value("role"), value("outcome"), value("reason")].join(" ").trim();
          sums.set(name, (sums.get(name) ?? 0) + Number(count));
        }
      }
      return sums;
    },
    logs: () => [...parts].map(([child, part]) => `--- ${part}\n${child.log()}`).join("\n"),
    async close() {
      const faults: string[] = [];
      for (const part of PARTS) {
        const codes = await Promise.all(running(part).map((child) => child.stop()));
        for (const code of codes) if (code !== 0) faults.push(`${part} ended with ${code}`);
      }
      parts.clear();
      await rm(dataDir, { recursive: true, force: true });
      return faults;
    },
  };
}
