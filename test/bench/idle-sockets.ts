/** Thousands of open sockets that mostly wait: what comes is counted, heartbeats are answered. */
import { scanFrame } from "./frame-scan.ts";
import { openSocket, type ClientSocket } from "./socket-client.ts";

/** Opened at once; more would only queue in the server's backlog. */
const OPENING_AT_ONCE = 200;
const OPEN_DEADLINE_MS = 20_000;

const CONNECTED = '{"type":"connected"';
const HEARTBEAT = '{"type":"heartbeat"';

export interface IdleSockets {
  /** By socket: how many heartbeats came. */
  readonly beats: Uint32Array;
  /** By socket: ids of the notifications that came, in order. */
  readonly received: ReadonlyMap<number, readonly string[]>;
  /** Sockets that ended though nobody asked them to. */
  dropped(): number;
  close(): void;
}

/** Resolves when all are open and greeted. @param addresses one for each, with the token in it */
export async function openIdleSockets(addresses: readonly string[]): Promise<IdleSockets> {
  const beats = new Uint32Array(addresses.length);
  const received = new Map<number, string[]>();
  const sockets: ClientSocket[] = [];
  let dropped = 0;

  function open(address: string, index: number): Promise<void> {
    const greeted = Promise.withResolvers<void>();
    const socket = openSocket(address, {
      frame(bytes, from, to) {
        // By its beginning: what is parsed here is time that the server does not get.
        const beginning = bytes.toString("latin1", from, Math.min(to, from + CONNECTED.length));
        if (beginning.startsWith(HEARTBEAT)) {
          beats[index] = (beats[index] ?? 0) + 1;
          socket.send('{"type":"pong"}');
        } else if (beginning.startsWith(CONNECTED)) greeted.resolve();
        else {
          const ids = received.get(index) ?? [];
          ids.push(scanFrame(bytes, from, to)?.notificationId ?? "no notification");
          received.set(index, ids);
        }
      },
      burst() {},
      closed(reason) {
        dropped += 1;
        greeted.reject(new Error(`a socket ended while it opened: ${reason}`));
      },
    });
    sockets.push(socket);
    return greeted.promise;
  }

  for (let from = 0; from < addresses.length; from += OPENING_AT_ONCE) {
    const group = addresses.slice(from, from + OPENING_AT_ONCE);
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => deadline.reject(new Error(`sockets did not open in ${OPEN_DEADLINE_MS} ms`)),
      OPEN_DEADLINE_MS,
    );
    const opened = Promise.all(group.map((address, at) => open(address, from + at)));
    await Promise.race([opened, deadline.promise]).finally(() => clearTimeout(timer));
  }
  return {
    beats,
    received,
    dropped: () => dropped,
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}
