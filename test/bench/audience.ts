/** The people on the other end: one open socket each, and a note of every frame that comes. */
import { WebSocket } from "ws";
import { z } from "zod";
import type { Arrival } from "./judgement.ts";

/** Opened at once; more would only queue in the server's backlog. */
const OPENING_AT_ONCE = 50;
const OPEN_DEADLINE_MS = 20_000;

const frameSchema = z.object({
  type: z.string().optional(),
  replay_id: z.string().optional(),
  notification_id: z.string().optional(),
  correlation_id: z.string().optional(),
});

export interface Audience {
  /** In the order they came. */
  readonly arrivals: readonly Arrival[];
  /** Each user's last replay id when their socket opened. */
  readonly positions: readonly number[];
  /** Sockets that closed though nobody asked them to. */
  dropped(): number;
  close(): void;
}

/** `bench-17` is the request with index 17. */
export const CORRELATION_PREFIX = "bench-";

/**
 * Resolves when all sockets are open and greeted.
 * @param addresses one for each user, with the token in it
 */
export async function seatAudience(addresses: readonly string[]): Promise<Audience> {
  const arrivals: Arrival[] = [];
  const positions: number[] = [];
  const sockets: WebSocket[] = [];
  let closing = false;
  let dropped = 0;

  function seat(address: string, user: number): Promise<void> {
    const greeted = Promise.withResolvers<void>();
    const socket = new WebSocket(address, { perMessageDeflate: false });
    sockets.push(socket);
    socket.on("message", (data: Buffer) => {
      // Before parsing: what it takes to read a frame here is not the server's time.
      const atMs = performance.now();
      const frame = frameSchema.parse(JSON.parse(data.toString("utf8")));
      const { notification_id: notificationId, correlation_id: correlation = "" } = frame;
      const replayId = Number(frame.replay_id ?? 0);
      if (notificationId !== undefined) {
        const index = Number(correlation.slice(CORRELATION_PREFIX.length));
        arrivals.push({ user, index, notificationId, replayId, atMs });
      } else if (frame.type === "connected") {
        positions[user] = replayId;
        greeted.resolve();
      } else if (frame.type === "heartbeat") {
        socket.send('{"type":"pong"}');
      }
    });
    socket.on("error", greeted.reject);
    socket.on("close", (code) => {
      if (!closing) dropped += 1;
      greeted.reject(new Error(`a socket was closed with ${code} while it opened`));
    });
    const timer = setTimeout(
      () => greeted.reject(new Error(`a socket did not open in ${OPEN_DEADLINE_MS} ms`)),
      OPEN_DEADLINE_MS,
    );
    return greeted.promise.finally(() => clearTimeout(timer));
  }

  for (let from = 0; from < addresses.length; from += OPENING_AT_ONCE) {
    const group = addresses.slice(from, from + OPENING_AT_ONCE);
    await Promise.all(group.map((address, at) => seat(address, from + at)));
  }
  return {
    arrivals,
    positions,
    dropped: () => dropped,
    close() {
      closing = true;
      for (const socket of sockets) socket.terminate();
    },
  };
}
