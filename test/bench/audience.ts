/** The people on the other end: one open socket each, and a note of every frame that comes. */
import { scanFrame } from "./frame-scan.ts";
import type { Arrival } from "./judgement.ts";
import { openSocket, type ClientSocket } from "./socket-client.ts";

/** Opened at once; more would only queue in the server's backlog. */
const OPENING_AT_ONCE = 50;
const OPEN_DEADLINE_MS = 20_000;

export interface Audience {
  /** In the order they came. */
  readonly arrivals: readonly Arrival[];
  /** Each user's last replay id when their socket opened. */
  readonly positions: readonly number[];
  /** How many of `arrivals` have been acknowledged; none unless `acks` is on. */
  acknowledged(): number;
  /** Sockets that closed though nobody asked them to. */
  dropped(): number;
  close(): void;
}

export interface AudienceOptions {
  /** One for each user, with the token in it. */
  readonly addresses: readonly string[];
  /** Each burst of frames is acknowledged by its last; the addresses then say `ack=1`. */
  readonly acks?: boolean;
  /** Called after each burst that brought notifications. */
  readonly onBurst?: () => void;
}

interface Greeting {
  readonly type?: string;
  readonly replay_id?: string;
}

/** Resolves when all sockets are open and greeted. */
export async function seatAudience(options: AudienceOptions): Promise<Audience> {
  const { addresses, acks = false, onBurst } = options;
  const arrivals: Arrival[] = [];
  const positions: number[] = [];
  const sockets: ClientSocket[] = [];
  let acknowledged = 0;
  let dropped = 0;

  function seat(address: string, user: number): Promise<void> {
    const greeted = Promise.withResolvers<void>();
    let fresh = 0;
    let latest = 0;
    const socket = openSocket(address, {
      frame(bytes, from, to) {
        // Before reading: what it takes to read a frame here is not the server's time.
        const atMs = performance.now();
        const found = scanFrame(bytes, from, to);
        if (found === undefined) {
          control(JSON.parse(bytes.toString("utf8", from, to)));
          return;
        }
        const { index, replayId, notificationId } = found;
        arrivals.push({ user, index, notificationId, replayId, atMs });
        fresh += 1;
        latest = replayId;
      },
      burst() {
        if (fresh === 0) return;
        if (acks) {
          socket.send(`{"type":"ack","replay_id":"${latest}"}`);
          acknowledged += fresh;
        }
        fresh = 0;
        onBurst?.();
      },
      closed(reason) {
        dropped += 1;
        greeted.reject(new Error(`a socket was refused or closed: ${reason}`));
      },
    });
    sockets.push(socket);

    function control(frame: Greeting): void {
      if (frame.type === "connected") {
        positions[user] = Number(frame.replay_id ?? 0);
        greeted.resolve();
      } else if (frame.type === "heartbeat") socket.send('{"type":"pong"}');
    }

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
    acknowledged: () => acknowledged,
    dropped: () => dropped,
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}
