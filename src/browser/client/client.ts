/** The WebSocket client: stays connected, misses nothing, shows nothing twice. */
import type { ConnectedFrame, NotificationFrame, ReplayGapFrame } from "../../contract/frames.ts";
import {
  ABNORMAL_CLOSE,
  openConnection,
  type ClientEnvironment,
  type Connection,
} from "./connection.ts";
import type { Incoming } from "./frames.ts";
import { createPositionKeeper } from "./position.ts";
import { planRetry, type Ending } from "./reconnect.ts";

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  | { readonly kind: "waiting"; readonly delayMs: number; readonly code: number }
  /** What opens sockets was refused again and again, or none could be had. */
  | { readonly kind: "refused" }
  | { readonly kind: "stopped" };

/** What opens the socket, asked for each time. */
export interface Pass {
  /**
   * `ticket`: one that `POST /ws/ticket` gave, good for one socket, so that it does not matter who sees
   * the address. `token`: where no such request can be made.
   */
  readonly kind: "ticket" | "token";
  /**
   * `renew`: the last one was refused. `undefined`: none can be had, which ends the client with
   * state `refused`. Rejecting, as `fetch` does without a network, means to try again later.
   */
  readonly get: (renew: boolean) => Promise<string | undefined>;
}

export interface ClientOptions {
  /** `ws://` or `wss://`, with the path `/ws/notify`. */
  readonly url: string;
  readonly userId: string;
  readonly pass: Pass;
  /** Tells the server what arrived, so that it need not try another channel. */
  readonly ack: boolean;
  /** `history`: the first connection asks for all that is kept; `last`: for what is new. */
  readonly startFrom: "history" | "last";
  readonly environment: ClientEnvironment;
  readonly onNotification: (frame: NotificationFrame) => void;
  readonly onState: (state: ConnectionState) => void;
  /** Some messages can no longer be had. */
  readonly onGap: (frame: ReplayGapFrame) => void;
}

export interface Client {
  connect(): void;
  /** Stops waiting and tries at once: the network is back, or the person came back to the tab. */
  retryNow(): void;
  /** Tells the server that this notification was read. */
  read(frame: NotificationFrame): void;
  stop(): void;
}

/**
 * Ids kept to recognise repetitions: twice what a server can be told to keep for a person, all of which
 * comes again when its storage was restored.
 */
const MAX_KNOWN_IDS = 2_000;
const PASS_UNREACHABLE = Symbol("no answer to the request for a pass");

/** A client that does nothing before `connect()`. */
export function createClient(options: ClientOptions): Client {
  const { environment } = options;
  const position = createPositionKeeper(environment.storage, options.userId);
  const known = new Set<string>();
  let connection: Connection | undefined;
  let cancelRetry: (() => void) | undefined;
  let attempt = 0;
  let refusals = 0;
  let renewPass = false;
  /** The newest replay id when the connection was made. */
  let lastGivenOut = 0;
  /** Of this connection, which asked for no position, until a message or a heartbeat comes. */
  let begunAt: Pick<ConnectedFrame, "epoch" | "replay_id"> | undefined;
  /** There was no message yet when this client began: whatever comes is new. */
  let begunEmpty = false;
  let stopped = true;
  /** Grows with every attempt, so that a late answer to an older one is recognised. */
  let generation = 0;

  function socketUrl(pass: string): string {
    const url = new URL(options.url);
    url.searchParams.set(options.pass.kind, pass);
    if (options.ack) url.searchParams.set("ack", "1");
    const from = position.current() ?? position.stored;
    const wantsAll =
      (options.startFrom === "history" && position.current() === undefined) ||
      (begunEmpty && from === undefined);
    const replayFrom = wantsAll ? "0" : from?.replayId;
    if (replayFrom !== undefined) url.searchParams.set("replay_from", replayFrom);
    if (from !== undefined) url.searchParams.set("epoch", from.epoch);
    return url.href;
  }

  async function open(): Promise<void> {
    cancelRetry?.();
    cancelRetry = undefined;
    generation += 1;
    const mine = generation;
    options.onState({ kind: "connecting" });
    const pass = await options.pass.get(renewPass).catch(() => PASS_UNREACHABLE);
    if (mine !== generation || stopped) return;
    if (pass === undefined) return refuse();
    if (typeof pass === "symbol") return ended({ code: ABNORMAL_CLOSE, goingAwayMs: undefined });
    connection = openConnection({
      environment,
      url: socketUrl(pass),
      onStable() {
        attempt = 0;
      },
      onFrame: handle,
      onEnd: ended,
    });
  }

  function refuse(): void {
    stopped = true;
    options.onState({ kind: "refused" });
  }

  function handle(incoming: Incoming): void {
    switch (incoming.kind) {
      case "connected":
        refusals = 0;
        renewPass = false;
        lastGivenOut = Number(incoming.frame.replay_id);
        begunAt = hasPosition() ? undefined : incoming.frame;
        options.onState({ kind: "open" });
        return;
      case "gap":
        if (isLoss(incoming.frame)) options.onGap(incoming.frame);
        return;
      case "notification":
        receive(incoming.frame);
        return;
      case "heartbeat":
        connection?.send({ type: "pong" });
        standAtBeginning();
        return;
      case "going_away":
      case "error":
        return;
    }
  }

  /**
   * A first visit that asks for all that is kept has lost nothing, and neither has one that had
   * received all that is gone. One that asks for what met no tab is told of what did not meet it either.
   */
  function isLoss(frame: ReplayGapFrame): boolean {
    const last = position.current() ?? position.stored;
    if (last === undefined) return options.startFrom === "last";
    if (frame.reason !== "trimmed" || last.epoch !== frame.epoch) return true;
    const oldest =
      frame.oldest_replay_id === null ? lastGivenOut + 1 : Number(frame.oldest_replay_id);
    return oldest > Number(last.replayId) + 1;
  }

  const hasPosition = (): boolean => (position.current() ?? position.stored) !== undefined;

  /**
   * All that was sent unasked at the beginning came before this heartbeat. From here on nothing may be
   * missed, though nothing was received yet: what is written to a connection that is dead counts as
   * delivered, and is not sent unasked again.
   */
  function standAtBeginning(): void {
    if (begunAt === undefined) return;
    const { epoch, replay_id: replayId } = begunAt;
    begunAt = undefined;
    if (epoch === null) begunEmpty = true;
    else position.advance({ epoch, replayId });
  }

  function receive(frame: NotificationFrame): void {
    begunAt = undefined;
    if (!known.has(frame.notification_id)) {
      // Shown first and remembered after: what could not be shown will be asked for again.
      options.onNotification(frame);
      remember(frame.notification_id);
    }
    position.advance({ epoch: frame.epoch, replayId: frame.replay_id });
    if (options.ack) connection?.ack(frame);
  }

  function remember(id: string): void {
    known.add(id);
    const [oldest] = known;
    if (known.size > MAX_KNOWN_IDS && oldest !== undefined) known.delete(oldest);
  }

  function ended(ending: Ending): void {
    connection = undefined;
    if (stopped) return;
    refusals = ending.code === 1008 ? refusals + 1 : 0;
    const plan = planRetry(ending, attempt, refusals, environment.random());
    if (plan === undefined) return refuse();
    attempt += 1;
    renewPass = plan.renewToken;
    options.onState({ kind: "waiting", delayMs: plan.delayMs, code: ending.code });
    cancelRetry = environment.after(plan.delayMs, () => void open());
  }

  return {
    connect() {
      if (!stopped) return;
      stopped = false;
      void open();
    },
    retryNow() {
      if (cancelRetry !== undefined) void open();
    },
    read(frame) {
      const { replay_id, epoch, notification_id } = frame;
      connection?.send({ type: "read", replay_id, epoch, notification_id });
    },
    stop() {
      stopped = true;
      generation += 1;
      cancelRetry?.();
      cancelRetry = undefined;
      connection?.close();
      connection = undefined;
      options.onState({ kind: "stopped" });
    },
  };
}
