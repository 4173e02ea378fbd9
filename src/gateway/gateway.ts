/** A gateway node: opens sockets, keeps them supplied, and takes its leave of them. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Redis } from "ioredis";
import { WebSocketServer, type WebSocket } from "ws";
import type { Caller } from "../contract/caller.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { History } from "../tracking/history.ts";
import type { Presence } from "../tracking/presence.ts";
import { createAcks, type Receipts } from "./acks.ts";
import { createAnswers } from "./answers.ts";
import { CLOSE_CODES } from "./close-codes.ts";
import { createConnection, type Connection, type ConnectionEvents } from "./connection.ts";
import { createFrameOf, type SealOpener } from "./frame.ts";
import { createHeartbeat, type HeartbeatSettings } from "./heartbeat.ts";
import { createHub } from "./hub.ts";
import { createInboundReader } from "./inbound.ts";
import { joinRoom, type JoinDeps } from "./join.ts";
import { createNodeInbox } from "./node-inbox.ts";
import {
  authenticate,
  isOriginAllowed,
  readSocketRequest,
  refuseUpgrade,
  type Refusal,
  type SocketRequest,
} from "./upgrade.ts";
import { createUpkeep } from "./upkeep.ts";

/** Clients only send acks and pongs. */
const MAX_INBOUND_BYTES = 4 * 1024;

/** How long a close may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 5_000;

/** At a stop, clients come back spread over this long, so that the other nodes are not stormed. */
const RETRY_SPREAD_MS = 5_000;
const MIN_RETRY_MS = 250;

/** How long sockets get to say goodbye at a stop before they are cut. */
const GOODBYE_MS = 2_000;

export interface GatewaySettings extends HeartbeatSettings {
  readonly presenceIntervalMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
  /** Origins that may open sockets; empty: any. */
  readonly allowedOrigins: readonly string[];
  /** False turns the count of inbound frames off, for load tests. */
  readonly limitInbound: boolean;
}

export interface GatewayDeps {
  readonly nodeId: string;
  /** For commands. */
  readonly redis: Redis;
  /** A connection of its own, of kind `subscriber`. */
  readonly subscriber: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: History;
  readonly presence: Presence;
  readonly sealing: SealOpener;
  readonly receipts: Receipts;
  readonly verify: (token: string) => Promise<Caller>;
  readonly settings: GatewaySettings;
  /** Hears of requests whose token was refused. */
  readonly onUnauthorized?: (request: IncomingMessage) => void;
  /** Counts what happens, for metrics. */
  readonly count?: (event: GatewayEvent) => void;
  /** 0 to below 1, for jitter. */
  readonly random?: () => number;
}

export type GatewayEvent =
  | { readonly kind: "opened" }
  | { readonly kind: "closed"; readonly code: number }
  | { readonly kind: "replayed"; readonly frames: number };

export interface Gateway {
  /** Resolves once messages for this node arrive; sockets before that are told to come later. */
  start(): Promise<void>;
  /** For the `upgrade` event of an HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells all clients to come back later, closes their sockets and leaves Redis. */
  stop(): Promise<void>;
  size(): { readonly users: number; readonly connections: number };
  /** Whether messages for this node arrive. */
  isSubscribed(): boolean;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { nodeId, clock, log, history, receipts, settings } = deps;
  const { random = Math.random, count = () => {} } = deps;
  const answers = createAnswers(deps);
  const frameOf = createFrameOf({
    sealing: deps.sealing,
    onBroken: (noteId, error) => log.error({ err: error, noteId }, "a message cannot be opened"),
  });
  const hub = createHub({ history, answers, frameOf, log });
  const acks = createAcks({ history, receipts, answers, log });
  const heartbeat = createHeartbeat({ ...settings, clock });
  const upkeep = createUpkeep({ ...deps, hub, presenceIntervalMs: settings.presenceIntervalMs });
  const inbox = createNodeInbox({
    ...deps,
    onMessage: (message) => hub.deliver(message),
    onResubscribed: () => void upkeep.repair(),
  });
  const joinDeps: JoinDeps = { ...settings, history, hub, frameOf, nodeId };
  const serverOptions = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const server = new WebSocketServer(serverOptions);
  const sockets = new Set<WebSocket>();
  let state: "new" | "open" | "stopping" = "new";
  let opening = 0;

  const events: ConnectionEvents = {
    replayed(connection, frames) {
      count({ kind: "replayed", frames: frames.length });
      receipts.record(frames.map(({ noteId }) => ({ noteId, kind: "delivered" })));
      const record = hub.room(connection.userId)?.record;
      if (!connection.acknowledges || record === undefined) return;
      for (const frame of frames) record.add(frame);
    },
    ready: (connection) => hub.room(connection.userId)?.ready(connection),
  };

  function limitFor(caller: Caller): Refusal | undefined {
    if (hub.socketsOf(caller.userId) < settings.maxConnectionsPerUser) return undefined;
    return { kind: "try_later", reason: "too many connections of this user" };
  }

  function admission(): Refusal | undefined {
    if (state === "stopping") return { kind: "going_away", reason: "going away" };
    if (state === "new") return { kind: "try_later", reason: "not ready" };
    if (sockets.size + opening < settings.maxConnections) return undefined;
    return { kind: "try_later", reason: "too many connections" };
  }

  async function open(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const asked = readSocketRequest(request);
    if (asked === undefined) return refuseUpgrade(stream, "404 Not Found");
    if (!isOriginAllowed(request.headers.origin, settings.allowedOrigins)) {
      return refuseUpgrade(stream, "403 Forbidden");
    }
    let outcome: Caller | Refusal | undefined = admission();
    if (outcome === undefined) {
      opening += 1;
      outcome = await authenticate(deps.verify, asked.token);
      opening -= 1;
    }
    // Accepted even to be refused: a browser sees no other sign than a close code.
    server.handleUpgrade(request, stream, head, (socket) => {
      socket.on("error", (error) => log.debug({ err: error }, "a socket failed"));
      const late = admission();
      const decision = late !== undefined && "userId" in outcome ? late : outcome;
      const refusal = "userId" in decision ? limitFor(decision) : decision;
      if (refusal !== undefined) {
        if (refusal.kind === "unauthorized") deps.onUnauthorized?.(request);
        socket.close(CLOSE_CODES[refusal.kind].code, refusal.reason);
      } else if ("userId" in decision) seat(socket, stream, decision, asked);
    });
  }

  function seat(socket: WebSocket, stream: Duplex, caller: Caller, asked: SocketRequest): void {
    const connection = createConnection({
      id: randomUUID(),
      socket,
      stream,
      caller,
      acknowledges: asked.acknowledges,
      resumed: asked.replay?.kind === "after",
      clock,
      events,
    });
    sockets.add(socket);
    heartbeat.add(connection);
    listen(socket, connection);
    count({ kind: "opened" });
    socket.on("close", (code) => {
      sockets.delete(socket);
      heartbeat.remove(connection);
      hub.leave(connection);
      upkeep.changed(caller.userId);
      count({ kind: "closed", code });
    });
    joinRoom(joinDeps, connection, asked.replay).catch((error: unknown) => {
      log.warn({ err: error }, "a socket could not join");
      connection.close("server_error", "history unavailable");
    });
  }

  function listen(socket: WebSocket, connection: Connection): void {
    const read = createInboundReader({ clock, limited: settings.limitInbound });
    // With the default binaryType every message is one Buffer.
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (!connection.isOpen()) return;
      const inbound = read(data, isBinary);
      const record = hub.room(connection.userId)?.record;
      switch (inbound.kind) {
        case "pong":
          return heartbeat.pong(connection);
        case "ack":
          if (record !== undefined) void acks.take(record, connection, inbound.frame);
          return;
        case "error":
          return connection.control(inbound.error);
        case "too_many":
          return connection.close("try_later", "too many messages");
      }
    });
  }

  async function sayGoodbye(): Promise<void> {
    for (const connection of hub.connections()) {
      const retry = MIN_RETRY_MS + Math.floor(random() * RETRY_SPREAD_MS);
      connection.control({ type: "going_away", retry_after_ms: retry });
      connection.close("going_away", "going away");
    }
    const closed = [...sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    const cancel = clock.after(GOODBYE_MS, () => {
      for (const socket of sockets) socket.terminate();
    });
    await Promise.all(closed);
    cancel();
  }

  return {
    async start() {
      await inbox.start();
      heartbeat.start();
      upkeep.start();
      state = "open";
    },

    handleUpgrade(request, stream, head) {
      const onError = (): void => void stream.destroy();
      stream.on("error", onError);
      open(request, stream, head).catch((error: unknown) => {
        log.error({ err: error }, "a socket could not be opened");
        stream.destroy();
      });
    },

    async stop() {
      state = "stopping";
      // Out of presence first, so that nothing new is sent here while sockets close.
      await upkeep.stop();
      await sayGoodbye();
      heartbeat.stop();
      await inbox.stop();
      await answers.flush();
    },

    size: () => hub.size(),
    isSubscribed: () => inbox.isSubscribed(),
  };
}
