/** The browsers of a replay: one socket for each person, which acknowledges what it is shown. */
import { WebSocket } from "ws";
import { isObject, textOf, type JsonObject } from "./trace-record.ts";

/** Opened at once; more would only queue in the server's backlog. */
const OPENING_AT_ONCE = 20;
const REOPEN_AFTER_MS = 100;
const STALL_DEADLINE_MS = 60_000;

export interface Shown {
  /** Whose socket. */
  readonly userId: string;
  readonly frame: JsonObject;
}

export interface Listeners {
  /** Notifications in the order they came; one that a new epoch or connection repeats is left out. */
  readonly shown: readonly Shown[];
  /** The same notification under a second replay id, or a replay id out of its place. */
  readonly faults: readonly string[];
  /** Resolves when everything sent to any socket so far has been received. */
  flush(): Promise<void>;
  /** Resolves once this many notifications have been shown; rejects if a minute brings none. */
  untilShown(count: number): Promise<void>;
  close(): void;
}

interface Seat {
  readonly userId: string;
  socket: WebSocket | undefined;
  position: { replayId: number; epoch: string } | undefined;
}

/** @param address where the socket of this person is opened, with a token in it */
export async function openListeners(
  people: readonly string[],
  address: (userId: string) => Promise<string>,
): Promise<Listeners> {
  const shown: Shown[] = [];
  const faults: string[] = [];
  const seats: Seat[] = people.map((userId) => ({
    userId,
    socket: undefined,
    position: undefined,
  }));
  const waiting = new Set<{ count: number; resolve: () => void; timer: NodeJS.Timeout }>();
  /** The replay id and epoch under which each notification was shown first. */
  const places = new Map<string, { readonly replayId: number; readonly epoch: string }>();
  let closing = false;

  function show(seat: Seat, frame: JsonObject): void {
    const id = textOf(frame, "notification_id") ?? "";
    const epoch = textOf(frame, "epoch") ?? "";
    const replayId = Number(frame["replay_id"]);
    const { position, userId } = seat;
    if (position?.epoch === epoch && replayId !== position.replayId + 1) {
      faults.push(`${userId}: replay id ${replayId} after ${position.replayId}`);
    }
    seat.position = { replayId, epoch };
    seat.socket?.send(JSON.stringify({ type: "ack", replay_id: String(replayId), epoch }));
    const before = places.get(`${userId} ${id}`);
    if (before !== undefined) {
      // A Redis that came back starts a new epoch, and shows again what it still has.
      if (before.epoch === epoch) faults.push(`${userId}: notification ${id} came twice`);
      return;
    }
    places.set(`${userId} ${id}`, seat.position);
    shown.push({ userId, frame });
    for (const one of waiting) {
      one.timer.refresh();
      if (shown.length < one.count) continue;
      waiting.delete(one);
      clearTimeout(one.timer);
      one.resolve();
    }
  }

  async function open(seat: Seat): Promise<void> {
    const url = new URL(await address(seat.userId));
    url.searchParams.set("ack", "1");
    if (seat.position !== undefined) {
      url.searchParams.set("replay_from", String(seat.position.replayId));
      url.searchParams.set("epoch", seat.position.epoch);
    }
    const greeted = Promise.withResolvers<void>();
    const socket = new WebSocket(url, { perMessageDeflate: false });
    seat.socket = socket;
    socket.on("message", (bytes: Buffer) => {
      const frame: unknown = JSON.parse(bytes.toString("utf8"));
      if (!isObject(frame)) return;
      if (frame["notification_id"] !== undefined) show(seat, frame);
      else if (frame["type"] === "connected") greeted.resolve();
      else if (frame["type"] === "heartbeat") socket.send('{"type":"pong"}');
      else if (frame["reason"] === "trimmed") faults.push(`${seat.userId}: a gap in the history`);
    });
    // The close follows.
    socket.on("error", () => {});
    socket.on("close", (code) => {
      greeted.reject(new Error(`the socket of ${seat.userId} was closed with ${code}`));
      if (!closing) setTimeout(() => void reopen(seat), REOPEN_AFTER_MS);
    });
    await greeted.promise;
  }

  /** A browser comes back by itself, from where it was. */
  async function reopen(seat: Seat): Promise<void> {
    if (!closing) await open(seat).catch(() => {});
  }

  for (let from = 0; from < seats.length; from += OPENING_AT_ONCE) {
    await Promise.all(seats.slice(from, from + OPENING_AT_ONCE).map(open));
  }

  return {
    shown,
    faults,
    async flush() {
      // What was written before the ping comes before its answer.
      await Promise.all(
        seats.flatMap(({ socket }) => (socket === undefined ? [] : pingOf(socket))),
      );
    },
    untilShown(count) {
      if (shown.length >= count) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const late = (): void => reject(new Error(`${shown.length} of ${count} were shown`));
        waiting.add({ count, resolve, timer: setTimeout(late, STALL_DEADLINE_MS) });
      });
    },
    close() {
      closing = true;
      for (const { timer } of waiting) clearTimeout(timer);
      for (const { socket } of seats) socket?.terminate();
    },
  };
}

function pingOf(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== WebSocket.OPEN) return resolve();
    socket.once("pong", () => resolve());
    socket.once("close", () => resolve());
    socket.ping();
  });
}
