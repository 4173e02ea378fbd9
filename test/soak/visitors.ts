/**
 * People whose sockets come and go: each stays for 5 to 60 s, then closes, vanishes, stops reading or
 * is put out when the token ends; the next one takes the place, often where that user left off.
 */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";
import type { Random } from "../support/random.ts";
import type { SoakScene } from "./scene.ts";

const LEAST_STAY_MS = 5_000;
const MOST_STAY_MS = 60_000;
/** Of a token that ends before its socket does. */
const SHORT_TOKEN_SECONDS = 6;
const TOKEN_SECONDS = 600;
/** Whoever stopped reading waits for the server to give up, and goes if it does not. */
const STALL_PATIENCE_MS = 45_000;
const BETWEEN_MS = 200;
const MESSAGES_PER_ACK = 3;
/** Said now and then, which the server must bear. */
const NONSENSE = ["{", '{"type":"dance"}', '{"type":"ack"}', "[]"];

type Leaving = "close" | "vanish" | "stall" | "token";

const WAYS: readonly { readonly how: Leaving; readonly share: number }[] = [
  { how: "vanish", share: 0.25 },
  { how: "stall", share: 0.05 },
  { how: "token", share: 0.05 },
];

interface Place {
  readonly replayId: string;
  readonly epoch: string;
}

/** All that is read of a frame. */
const frameSchema = z.object({
  type: z.string(),
  notification_id: z.string().optional(),
  replay_id: z.string().optional(),
  epoch: z.string().nullable().optional(),
});

export interface VisitorCounts {
  open: number;
  opened: number;
  refused: number;
  messages: number;
  acks: number;
  /** How often each close code came. */
  readonly closes: Record<string, number>;
}

export interface Visitors {
  readonly counts: Readonly<VisitorCounts>;
  /** Lets those who are there go. */
  close(): Promise<void>;
}

export function admitVisitors(options: {
  readonly scene: SoakScene;
  readonly users: readonly string[];
  readonly sockets: number;
  readonly random: Random;
}): Visitors {
  const { scene, users, sockets, random } = options;
  const counts: VisitorCounts = {
    open: 0,
    opened: 0,
    refused: 0,
    messages: 0,
    acks: 0,
    closes: {},
  };
  const places = new Map<string, Place>();
  const closing = new AbortController();
  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: closing.signal }).catch(() => {});

  async function addressFor(user: string, how: Leaving): Promise<string> {
    const ttlSeconds = how === "token" ? SHORT_TOKEN_SECONDS : TOKEN_SECONDS;
    const address = new URL("/ws/notify", scene.gatewayUrl);
    address.searchParams.set(
      "token",
      await scene.signer.sign({ userId: user, scopes: [], ttlSeconds }),
    );
    if (random.chance(0.5)) address.searchParams.set("ack", "1");
    const place = places.get(user);
    if (place !== undefined && random.chance(0.6)) {
      // Now and then one that begins anew, or remembers what never was.
      address.searchParams.set("replay_from", random.chance(0.1) ? "0" : place.replayId);
      if (random.chance(0.9)) address.searchParams.set("epoch", place.epoch);
    }
    return address.href;
  }

  function listen(socket: WebSocket, user: string): void {
    let unacknowledged = 0;
    socket.on("message", (data: Buffer) => {
      const { type, notification_id, replay_id, epoch } = frameSchema.parse(
        JSON.parse(data.toString("utf8")),
      );
      if (type === "heartbeat") socket.send('{"type":"pong"}');
      if (notification_id === undefined || replay_id === undefined) return;
      counts.messages += 1;
      if (typeof epoch === "string") places.set(user, { replayId: replay_id, epoch });
      unacknowledged += 1;
      if (unacknowledged >= MESSAGES_PER_ACK) {
        unacknowledged = 0;
        counts.acks += 1;
        socket.send(JSON.stringify({ type: "ack", replay_id, epoch }));
      }
      if (random.chance(0.05)) socket.send(JSON.stringify({ type: "read", replay_id, epoch }));
    });
  }

  async function visit(): Promise<void> {
    const drawn = random.next();
    let reached = 0;
    const how = WAYS.find(({ share }) => (reached += share) > drawn)?.how ?? "close";
    const user = random.pick(users);
    const socket = new WebSocket(await addressFor(user, how), { perMessageDeflate: false });
    const gone = new Promise<void>((resolve) => {
      socket.once("close", (code) => {
        counts.closes[code] = (counts.closes[code] ?? 0) + 1;
        resolve();
      });
    });
    socket.on("error", () => (counts.refused += 1));
    const opened = new Promise<void>((resolve) => socket.once("open", () => resolve()));
    listen(socket, user);
    await Promise.race([opened, gone]);
    if (socket.readyState !== WebSocket.OPEN) return;
    counts.opened += 1;
    counts.open += 1;
    if (random.chance(0.05)) socket.send(random.pick(NONSENSE));
    await Promise.race([pause(random.between(LEAST_STAY_MS, MOST_STAY_MS)), gone]);
    if (how === "stall" && !closing.signal.aborted) {
      socket.pause();
      await Promise.race([pause(STALL_PATIENCE_MS), gone]);
    }
    // A socket that reads nothing would not see the answer to its close.
    if (how === "close") socket.close();
    else socket.terminate();
    await gone;
    counts.open -= 1;
  }

  async function keepPlaceTaken(): Promise<void> {
    await pause(random.between(0, LEAST_STAY_MS));
    while (!closing.signal.aborted) {
      await visit();
      await pause(BETWEEN_MS);
    }
  }

  const taken = Promise.all(Array.from({ length: sockets }, keepPlaceTaken));
  return {
    counts,
    async close() {
      closing.abort();
      await taken;
    },
  };
}
