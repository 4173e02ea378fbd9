/** A gateway node on a free port, with tokens that name their user. */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "vitest";
import { createTickets, type Tickets } from "../../src/auth/tickets.ts";
import type { Caller } from "../../src/contract/caller.ts";
import type { Receipts } from "../../src/gateway/acks.ts";
import type { FailedLogins } from "../../src/gateway/door.ts";
import { createGateway, type Gateway, type GatewaySettings } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/gateway/seating.ts";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { Problem } from "../../src/platform/problems.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { watchSubscriber } from "../../src/platform/subscriber-watch.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createHistory, type History } from "../../src/tracking/history.ts";
import { createPresence } from "../../src/tracking/presence.ts";
import { connect, type ConnectOptions, type TestClient } from "../support/websocket-client.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";

export type Receipt = Parameters<Receipts["record"]>[0][number];

export interface TestNode {
  readonly url: string;
  readonly gateway: Gateway;
  readonly clock: ManualClock;
  readonly receipts: readonly Receipt[];
  /** What was counted, in order. */
  readonly events: readonly GatewayEvent[];
  /** Resolves with the note ids of this kind once there are `count` of them. */
  receipt(kind: Receipt["kind"], count: number): Promise<string[]>;
  /** Gives tickets out, as another process does. */
  readonly tickets: Tickets;
  /** Opens a socket with the user's token. */
  connect(userId: string, options?: ConnectOptions): Promise<TestClient>;
  /** Cuts the node's subscription as a network fault would; it comes back by itself. */
  cutSubscription(): void;
  cutCommands(): void;
  /** Of each open connection: bytes that wait in this process for the client to read. */
  unsentBytes(): number[];
  stop(): Promise<void>;
}

const DEFAULTS: GatewaySettings = {
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 90_000,
  presenceIntervalMs: 30_000,
  // The clock stands still unless a test turns it.
  answerIntervalMs: 0,
  maxConnections: 1_000,
  maxConnectionsPerUser: 10,
  allowedOrigins: [],
  trustedProxies: 0,
  limitInbound: true,
};

/** Tokens are `user` or `user/<ms until expiry>`; `later` meets a key set that cannot be read. */
function verifierAt(clock: ManualClock): (token: string) => Promise<Caller> {
  return async (token) => {
    if (token === "later") throw new Problem("unavailable", "no keys");
    const [userId = "", lifetimeMs = "3600000"] = token.split("/");
    if (userId === "wrong") throw new Problem("unauthenticated", "wrong");
    return { userId, scopes: new Set(), expiresAt: clock.now() + Number(lifetimeMs) };
  };
}

export async function startTestNode(deps: {
  readonly url: string;
  readonly keyspace: Keyspace;
  readonly nodeId?: string;
  /** Where messages come from, if it is reached in another way than the rest. */
  readonly subscriberUrl?: string;
  readonly clock?: ManualClock;
  readonly sealingKey?: Buffer;
  readonly settings?: Partial<GatewaySettings>;
  readonly failedLogins?: FailedLogins;
  /** Stands between the node and the history, to count or to hold back. */
  readonly around?: (history: History) => History;
  readonly random?: () => number;
}): Promise<TestNode> {
  const { keyspace, nodeId = "n1", clock = createManualClock(), around = (it) => it } = deps;
  const redis = connectRedis(deps.url, "command");
  const subscriber = connectRedis(deps.subscriberUrl ?? deps.url, "subscriber");
  await waitForRedis(redis, createSilentLogger());
  const endWatch = watchSubscriber({ subscriber, clock, log: createSilentLogger() });
  const receipts: Receipt[] = [];
  const events: GatewayEvent[] = [];
  const waiting = new Set<() => void>();
  const tickets = createTickets({ redis, keyspace, clock });
  const gateway = createGateway({
    nodeId,
    redis,
    subscriber,
    keyspace,
    clock,
    log: createSilentLogger(),
    history: around(createHistory({ redis, keyspace, clock, size: 100 })),
    presence: createPresence({ redis, keyspace, clock, nodeId }),
    sealing: createSealing(deps.sealingKey),
    receipts: {
      record(list) {
        receipts.push(...list);
        for (const look of waiting) look();
      },
    },
    verify: verifierAt(clock),
    redeem: (ticket) => tickets.redeem(ticket),
    count: (event) => events.push(event),
    ...(deps.failedLogins === undefined ? {} : { failedLogins: deps.failedLogins }),
    settings: { ...DEFAULTS, ...deps.settings },
    random: deps.random ?? (() => 0.5),
  });
  await gateway.start();
  const server = createServer().on("upgrade", (request, socket, head) =>
    gateway.handleUpgrade(request, socket, head),
  );
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is never a pipe's name.
  const { port } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}`;

  return {
    url,
    gateway,
    clock,
    receipts,
    events,
    tickets,
    receipt: (kind, count) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = receipts.filter((receipt) => receipt.kind === kind);
          if (found.length < count) return;
          waiting.delete(look);
          resolve(found.map(({ noteId }) => noteId));
        };
        waiting.add(look);
        look();
      }),
    connect: (userId, options) => connect(url, { token: userId, ...options }),
    cutSubscription: () => subscriber.disconnect(true),
    cutCommands: () => redis.disconnect(),
    unsentBytes: () => Array.from(sockets, ({ writableLength }) => writableLength),
    async stop() {
      await gateway.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      redis.disconnect();
      endWatch();
      subscriber.disconnect();
    },
  };
}

/** What a user will see sooner or later; fails only when it truly never comes. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 15_000, interval: 10 });
}
