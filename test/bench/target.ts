/** What is measured: the product, or a baseline that shows what the measurement itself costs. */
import { createKeyspace } from "../../src/platform/keyspace.ts";
import type { Product, ProductOptions } from "./product.ts";
import type { BenchContext } from "./scenarios.ts";
import { usersOf } from "./load.ts";

export interface Target {
  readonly name: string;
  /** Where requests go. */
  readonly url: string;
  /** Of the one service that sends. */
  readonly token: string;
  readonly users: readonly string[];
  /** Where each user's socket is opened, with the token in it. */
  readonly addresses: readonly string[];
  /** Of its processes, by role: `server` if one process plays them all; and `redis`. */
  readonly pids: Readonly<Record<string, number>>;
  /** By the product's own analytics; undefined where there are none. */
  readonly counted: (() => Promise<Counted>) | undefined;
  /** What runs behind it; undefined for a baseline. */
  readonly product: Product | undefined;
  stop(): Promise<void>;
}

interface Counted {
  readonly delivered: number;
  readonly confirmed: number;
}

/** A bare server that sockets are opened on; there a token is just the user's name. */
export function bareTarget(
  server: { readonly url: string; readonly pid: number; stop(): Promise<void> },
  sockets: number,
  as: Pick<Target, "name" | "token">,
): Target {
  const users = usersOf(sockets);
  const base = server.url.replace(/^http/, "ws");
  return {
    ...as,
    url: server.url,
    users,
    addresses: users.map((user) => `${base}/ws/notify?token=${user}`),
    pids: { server: server.pid },
    counted: undefined,
    product: undefined,
    stop: () => server.stop(),
  };
}

/** `POST /notify` straight to a socket: no Redis, no queue, no checks, nothing kept. */
export async function openBareTarget(context: BenchContext, sockets: number): Promise<Target> {
  const server = await context.startServer({ file: "test/bench/baseline-server.ts", env: {} });
  return bareTarget(server, sockets, { name: "baseline", token: "service" });
}

/** @param product.name of the target as well. @param query of the sockets: `ack=1` */
export async function openProductTarget(
  context: BenchContext,
  product: Omit<ProductOptions, "redis">,
  audience: { readonly sockets: number; readonly query?: string },
): Promise<Target> {
  const redis = await context.startRedis(`${product.name}-redis`);
  const running = await context.startProduct({ ...product, redis });
  const users = usersOf(audience.sockets);
  const pids = running.processes.map(
    ({ roles, pid }) => [running.processes.length === 1 ? "server" : roles, pid] as const,
  );
  return {
    name: product.name,
    url: running.apiUrl,
    token: running.token,
    users,
    addresses: await Promise.all(users.map((user) => running.socketAddress(user, audience.query))),
    pids: { ...Object.fromEntries(pids), redis: redis.pid },
    counted: () => running.counted(),
    product: running,
    async stop() {
      await running.stop();
      await redis.stop();
    },
  };
}

/** Where the product keeps its keys by default. */
export const PRODUCT_KEYS = createKeyspace({ shards: 16, prefix: "sb:" });

/** The product's processes one by one: what they do together is then the sum. */
export const ROLES_APART = ["api", "gateway", "worker"] as const;
