/** Whether sockets that were idle are still sent what comes for them, and only that. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { IdleSockets } from "./idle-sockets.ts";
import type { Product } from "./product.ts";

/** Of so many sockets one is sent a message. */
const ONE_OF = 15;
const DEADLINE_MS = 20_000;
const POLL_MS = 50;
/** Long enough for a second copy to show. */
const AFTERMATH_MS = 2_000;
/** As many as one request takes. */
const MAX_PROBED = 1_000;

const resultsSchema = z.object({
  accepted: z.number(),
  results: z.array(z.object({ notification_id: z.string() })),
});

export interface Probe {
  readonly sent: number;
  /** Sockets that did not get exactly what was meant for them, the silent ones included. */
  readonly wrong: number;
}

/** Sends one notification to some of the users, whose sockets have the same places in `open`. */
export async function probeSockets(
  product: Product,
  users: readonly string[],
  open: IdleSockets,
): Promise<Probe> {
  const places = users.flatMap((_, at) => (at % ONE_OF === 0 ? [at] : [])).slice(0, MAX_PROBED);
  const notifications = places.map((at) => ({
    user_id: users[at],
    template_id: "announcement",
    data: { title: "Still there?", body: "The first bell rings at eight." },
  }));
  const answer = await fetch(`${product.apiUrl}/notify/bulk`, {
    method: "POST",
    headers: { authorization: `Bearer ${product.token}`, "content-type": "application/json" },
    body: JSON.stringify({ notifications }),
  });
  const { results } = resultsSchema.parse(await answer.json());
  const expected = new Map(places.map((at, index) => [at, results[index]?.notification_id]));
  const giveUpAt = performance.now() + DEADLINE_MS;
  while (open.received.size < places.length && performance.now() < giveUpAt) await delay(POLL_MS);
  await delay(AFTERMATH_MS);
  return { sent: places.length, wrong: countWrong(expected, open.received) };
}

/** @param expected by socket the one id that is meant for it */
export function countWrong(
  expected: ReadonlyMap<number, string | undefined>,
  received: ReadonlyMap<number, readonly string[]>,
): number {
  const places = new Set([...expected.keys(), ...received.keys()]);
  return [...places].filter((at) => {
    const [first, ...more] = received.get(at) ?? [];
    return first === undefined || first !== expected.get(at) || more.length > 0;
  }).length;
}
