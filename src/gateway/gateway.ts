/** A gateway node: opens sockets, keeps them supplied, and takes its leave of them. */
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Redis, Subscriber } from "../platform/redis.ts";
import type { History } from "../tracking/history.ts";
import type { Presence } from "../tracking/presence.ts";
import { createAcks, type Receipts } from "./acks.ts";
import { createAnswers } from "./answers.ts";
import { createDoor, type Door, type FailedLogins } from "./door.ts";
import { createFarewell } from "./farewell.ts";
import { createFrameOf, type SealOpener } from "./frame.ts";
import { createHeartbeat, type HeartbeatSettings } from "./heartbeat.ts";
import { createHub, type Hub } from "./hub.ts";
import { createLookups } from "./lookups.ts";
import { createNodeInbox } from "./node-inbox.ts";
import { createOpenings, type Openings } from "./openings.ts";
import { createSeating, type GatewayEvent } from "./seating.ts";
import { createTurnstile } from "./turnstile.ts";
import type { Doorkeeper, Refusal } from "./upgrade.ts";
import { createUpkeep } from "./upkeep.ts";

/** Histories that are read at once: 1.5 MB when all are full, and some 15 ms to send them. */
const HISTORIES_AT_A_TIME = 16;

export interface GatewaySettings extends HeartbeatSettings {
  readonly presenceIntervalMs: number;
  /** How long answers to workers are gathered under load. */
  readonly answerIntervalMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
  /** Origins that may open sockets; empty: any. */
  readonly allowedOrigins: readonly string[];
  /** Proxies in front that append to `X-Forwarded-For`; 0: none is believed. */
  readonly trustedProxies: number;
  /** False turns the limits of inbound frames and of looks at the history off, for load tests. */
  readonly limitInbound: boolean;
}

export interface GatewayDeps extends Doorkeeper {
  readonly nodeId: string;
  /** For commands. */
  readonly redis: Redis;
  /** A connection of its own, of kind `subscriber`. */
  readonly subscriber: Subscriber;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: History;
  readonly presence: Presence;
  readonly sealing: SealOpener;
  readonly receipts: Receipts;
  readonly settings: GatewaySettings;
  /** Counts the addresses whose tokens are refused; absent: nobody is held back. */
  readonly failedLogins?: FailedLogins;
  /** Counts what happens, for metrics. */
  readonly count?: (event: GatewayEvent) => void;
  /** A worker sent what only a newer version knows. */
  readonly onUnread?: () => void;
  /** 0 to below 1, for jitter. */
  readonly random?: () => number;
}

export interface Gateway extends Door {
  /** Resolves once messages for this node arrive; sockets before that are told to come later. */
  start(): Promise<void>;
  /** Tells all clients to come back later, closes their sockets and leaves Redis. */
  stop(): Promise<void>;
  size(): { readonly users: number; readonly connections: number };
  /** Whether messages for this node arrive. */
  isSubscribed(): boolean;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { log, settings, random = Math.random, count = () => {} } = deps;
  const inTurn = createTurnstile(HISTORIES_AT_A_TIME);
  // Joins take their turn themselves: what they ask for is known only then.
  const history: Pick<History, "since" | "notes"> = {
    since: (userId, position) => inTurn(() => deps.history.since(userId, position)),
    notes: (userId, range) => inTurn(() => deps.history.notes(userId, range)),
  };
  const answers = createAnswers({
    ...deps,
    ...settings,
    onUnheardAcks: (noteIds) =>
      deps.receipts.record(noteIds.map((noteId) => ({ noteId, kind: "confirmed" }))),
  });
  const frameOf = createFrameOf({
    sealing: deps.sealing,
    onBroken: (noteId, error) => log.error({ err: error, noteId }, "a message cannot be opened"),
  });
  const onSent = (frames: number): void => count({ kind: "sent", frames });
  const hub = createHub({ history, answers, frameOf, onSent, log, clock: deps.clock });
  const lookups = createLookups({
    ...deps,
    history,
    limited: settings.limitInbound,
    onFound: (kind, notes) => deps.receipts.record(notes.map(({ noteId }) => ({ noteId, kind }))),
  });
  const acks = createAcks({ ...deps, answers, lookups });
  const heartbeat = createHeartbeat({ ...settings, clock: deps.clock, sockets: hub });
  const upkeep = createUpkeep({ ...deps, ...settings, hub });
  const inbox = createNodeInbox({
    ...deps,
    onMessage: (message) => hub.deliver(message),
    onResubscribed: () => void upkeep.repair(),
  });
  const openings = createOpenings(deps.clock);
  const farewell = createFarewell({ sockets: hub, clock: deps.clock, random });
  let state: State = "new";
  const door = createDoor({
    ...deps,
    ...settings,
    failedLogins: deps.failedLogins,
    goingAway: () => farewell.frame(),
    admission: (opening) => admission(state, hub.size().connections + opening, settings),
    limitOf: (userId) => userLimit(userId, hub, openings, settings),
    onVisitor: createSeating({
      ...deps,
      ...settings,
      hub,
      acks,
      heartbeat,
      upkeep,
      frameOf,
      count,
      inTurn,
    }),
  });

  return {
    ...door,

    async start() {
      await inbox.start();
      heartbeat.start();
      upkeep.start();
      state = "open";
    },

    async stop() {
      state = "stopping";
      // Out of presence first, so that nothing new is sent here while sockets close.
      await upkeep.stop();
      await farewell.sayToAll();
      heartbeat.stop();
      lookups.stop();
      await inbox.stop();
      await answers.flush();
    },

    size: () => hub.size(),
    isSubscribed: () => inbox.isSubscribed(),
  };
}

type State = "new" | "open" | "stopping";

function admission(
  state: State,
  connections: number,
  { maxConnections }: GatewaySettings,
): Refusal | undefined {
  if (state === "stopping") return { kind: "going_away", reason: "going away" };
  if (state === "new") return { kind: "try_later", reason: "not ready" };
  if (connections < maxConnections) return undefined;
  return { kind: "try_later", reason: "too many connections" };
}

function userLimit(
  userId: string,
  hub: Pick<Hub, "socketsOf">,
  openings: Openings,
  { maxConnectionsPerUser, limitInbound }: GatewaySettings,
): Refusal | undefined {
  if (hub.socketsOf(userId) >= maxConnectionsPerUser) {
    return { kind: "try_later", reason: "too many connections of this user" };
  }
  if (!limitInbound || openings.take(userId)) return undefined;
  return { kind: "try_later", reason: "reconnecting too often" };
}
