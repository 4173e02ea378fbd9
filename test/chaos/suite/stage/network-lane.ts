/** One direction of a connection: its bytes go on in order, at once, late, not yet, or never. */
import type { Socket } from "node:net";

export type Flow =
  /** Each chunk goes on this long after it came. */
  | { readonly kind: "passing"; readonly delayMs: number }
  /** Nothing is read: what is sent waits where it is, and goes on when the lane passes again. */
  | { readonly kind: "stopped" }
  /** What comes is thrown away, so the connection is of no more use afterwards. */
  | { readonly kind: "losing" };

export interface Lane {
  set(flow: Flow): void;
  /** Whether bytes were thrown away: a stream with a hole must not go on. */
  hasLost(): boolean;
}

/** Beyond this the sender is not read from; it finds out as it would from a slow network. */
const MAX_HELD_BYTES = 1_048_576;

interface Held {
  readonly chunk: Buffer;
  readonly dueAt: number;
}

/** Passes on what `from` sends, and its end, until `to` is closed. Both must allow a half-open state. */
export function createLane(from: Socket, to: Socket, first: Flow): Lane {
  let flow = first;
  let held: Held[] = [];
  let heldBytes = 0;
  let ended = false;
  let lost = false;
  let timer: NodeJS.Timeout | undefined;

  function drop(): void {
    held = [];
    heldBytes = 0;
  }

  function passOnWhatIsDue(): void {
    if (flow.kind !== "passing") return;
    const now = performance.now();
    while (!to.writableNeedDrain) {
      const next = held[0];
      if (next === undefined || next.dueAt > now) break;
      held.shift();
      heldBytes -= next.chunk.length;
      to.write(next.chunk);
    }
    const next = held[0];
    if (next !== undefined && !to.writableNeedDrain) {
      timer = setTimeout(pump, Math.ceil(Math.max(0, next.dueAt - now)));
    }
  }

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    if (to.destroyed) drop();
    else passOnWhatIsDue();
    if (ended && held.length === 0 && flow.kind !== "stopped") to.end();
    const full = heldBytes >= MAX_HELD_BYTES || (to.writableNeedDrain && !to.destroyed);
    if (flow.kind === "stopped" || full) from.pause();
    else if (from.isPaused()) from.resume();
  }

  from.on("data", (chunk: Buffer) => {
    if (to.destroyed) return;
    if (flow.kind === "losing") {
      lost = true;
      return;
    }
    const delayMs = flow.kind === "passing" ? flow.delayMs : 0;
    held.push({ chunk, dueAt: performance.now() + delayMs });
    heldBytes += chunk.length;
    // One that waits for an earlier one goes on with it.
    if (timer === undefined) pump();
    else if (heldBytes >= MAX_HELD_BYTES) from.pause();
  });
  const end = (): void => {
    ended = true;
    pump();
  };
  from.on("end", end);
  from.on("close", end);
  to.on("drain", pump);
  to.on("close", pump);
  pump();

  return {
    set(next) {
      if (next.kind === "losing" && held.length > 0) {
        lost = true;
        drop();
      }
      // What was delayed has waited long enough once the delay is gone.
      if (next.kind === "passing" && next.delayMs === 0) {
        held = held.map(({ chunk }) => ({ chunk, dueAt: 0 }));
      }
      flow = next;
      pump();
    },
    hasLost: () => lost,
  };
}
