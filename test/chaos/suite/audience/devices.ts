/** Browsers that get pushes: their service workers show them, and say so until they are heard. */
import { setTimeout as delay } from "node:timers/promises";
import { readPayload } from "../../../../src/browser/worker/payload.ts";

export interface DevicesOptions {
  /** Where the API answers; asked before each try. A rejection is a failed try. */
  readonly address: () => string | Promise<string>;
  /** Whether this browser says what it showed; some never do. */
  readonly tells: (endpoint: string) => boolean;
}

export interface Devices {
  /** A push service handed this over, decrypted. */
  take(push: { readonly endpoint: string; readonly payload: string }): void;
  /** Whether a receipt for it was sent and answered. */
  isReceipted(endpoint: string, notificationId: string): boolean;
  /** Receipts that are still to be answered. */
  underWay(): number;
  /** Gives up what is not answered yet. */
  close(): void;
}

const RETRY_MS = 500;
const ANSWER_TIMEOUT_MS = 5_000;
const TAKEN = 204;
/** The ledger does not know the notification, of a Redis that lost what it had; a worker drops it then. */
const EXPIRED = 410;

export function openDevices({ address, tells }: DevicesOptions): Devices {
  const told = new Set<string>();
  const open = new Set<string>();
  const closing = new AbortController();

  async function tell(name: string, receipt: string): Promise<void> {
    open.add(name);
    while (!closing.signal.aborted) {
      const status = await post(receipt);
      if (status === TAKEN) told.add(name);
      if (status === TAKEN || status === EXPIRED) break;
      await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
    open.delete(name);
  }

  /** The status of the answer; undefined if there was none. */
  async function post(receipt: string): Promise<number | undefined> {
    try {
      const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const response = await fetch(new URL("/receipts", await address()), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ receipt, event: "shown" }),
        signal: AbortSignal.any([timeout, closing.signal]),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return undefined;
    }
  }

  return {
    take({ endpoint, payload }) {
      const { notification_id: notificationId, receipt } = readPayload(payload);
      const name = nameOf(endpoint, notificationId);
      // The same push once more takes the place of the first, and is shown again without a word.
      if (receipt === undefined || !tells(endpoint) || open.has(name) || told.has(name)) return;
      void tell(name, receipt);
    },
    isReceipted: (endpoint, notificationId) => told.has(nameOf(endpoint, notificationId)),
    underWay: () => open.size,
    close: () => closing.abort(),
  };
}

const nameOf = (endpoint: string, notificationId: string): string =>
  `${notificationId} ${endpoint}`;
