/** Asks Kafka again where what it says against it passes by itself. */
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 50_000;
const BETWEEN_MS = 100;

/** What the client gave up on after its own few tries passes if the last of them would have. */
function passesByItself(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("retriable" in error && error.retriable === true) || passesByItself(error.cause);
}

/** A topic that was just made, and a broker that just came up, refuse for a moment. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!passesByItself(error) || performance.now() > endsAt) throw error;
      await delay(BETWEEN_MS);
    }
  }
}
