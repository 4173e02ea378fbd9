/** Asks until the answer is the expected one, and shows the last failure if it never is. */
import { vi } from "vitest";

/** A lost lease, a stalled envelope and a provider's retry take 3 s; the rest is for a busy machine. */
const DEADLINE_MS = 15_000;
const INTERVAL_MS = 50;

export async function soon<T>(check: () => Promise<T>): Promise<T> {
  return await vi.waitFor(check, { timeout: DEADLINE_MS, interval: INTERVAL_MS });
}
