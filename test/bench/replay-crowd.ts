/** Everybody comes back at once: all sockets are opened in one turn, and read until all is there. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { scanFrame } from "./frame-scan.ts";
import type { Arrival } from "./judgement.ts";
import { openSocket, type ClientSocket } from "./socket-client.ts";

/** Without a single frame; what takes longer does not come any more. */
const STALL_MS = 15_000;
const POLL_MS = 5;
const REOPEN_MS = 500;

const controlSchema = z.object({ type: z.string(), replay: z.string().optional() });

export interface Crowd {
  /** In the order they came. */
  readonly arrivals: readonly Arrival[];
  /** From the first opening to the last frame of each user, in ms; those who got all of theirs. */
  readonly completedMs: readonly number[];
  /** From the first opening to the last frame of all, in ms. */
  readonly elapsedMs: number;
  readonly bytes: number;
  /** How often one was told of a gap, or of anything else than a complete replay. */
  readonly gaps: number;
  /** How often one had to be opened again because it was closed. */
  reopened(): number;
  close(): void;
}

/** @param each how many frames every user has to get */
/**
 * A socket that is closed comes back a little later for what is still missing, as the product's own
 * client does.
 * @param addresses one for each user, to which `&replay_from=` is added
 * @param each how many frames every user has to get
 */
export async function comeBack(addresses: readonly string[], each: number): Promise<Crowd> {
  const arrivals: Arrival[] = [];
  const completedMs: number[] = [];
  const sockets: ClientSocket[] = [];
  let [bytes, gaps, reopened] = [0, 0, 0];
  let closing = false;
  const startMs = performance.now();
  let lastMs = startMs;

  function open(address: string, user: number, received: number, last: number): void {
    let [count, position] = [received, last];
    const socket = openSocket(`${address}&replay_from=${position}`, {
      frame(buffer, from, to) {
        const atMs = performance.now();
        const found = scanFrame(buffer, from, to);
        if (found === undefined) {
          const control = controlSchema.parse(JSON.parse(buffer.toString("utf8", from, to)));
          if (control.type === "heartbeat") socket.send('{"type":"pong"}');
          else if (control.replay !== "complete") gaps += 1;
          return;
        }
        arrivals.push({ ...found, user, atMs });
        bytes += to - from;
        lastMs = atMs;
        position = found.replayId;
        count += 1;
        if (count === each) completedMs.push(atMs - startMs);
      },
      burst() {},
      closed() {
        if (closing) return;
        reopened += 1;
        setTimeout(() => {
          if (!closing) open(address, user, count, position);
        }, REOPEN_MS);
      },
    });
    sockets[user] = socket;
  }

  for (const [user, address] of addresses.entries()) open(address, user, 0, 0);
  while (arrivals.length < addresses.length * each && performance.now() - lastMs < STALL_MS) {
    await delay(POLL_MS);
  }
  return {
    arrivals,
    completedMs,
    elapsedMs: lastMs - startMs,
    bytes,
    gaps,
    reopened: () => reopened,
    close() {
      closing = true;
      for (const socket of sockets) socket.close();
    },
  };
}
