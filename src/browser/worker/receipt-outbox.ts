/** Sends receipts, and keeps those that could not be sent until they can. */
import type { ReceiptEvent } from "../../contract/push-receipt.ts";

export interface Receipt {
  readonly receipt: string;
  readonly event: ReceiptEvent;
  /** For `snoozed`: in how many minutes it is to come again. */
  readonly minutes?: number | undefined;
}

/** What was taken off the screen on the word of a receipt, to be put back if that is refused. */
export interface TakenOff {
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface UnsentReceipt {
  readonly receipt: Receipt;
  /** When it should have been sent (epoch ms). */
  readonly at: number;
  readonly takenOff?: TakenOff | undefined;
}

/** Where they are kept. The oldest comes first. */
export interface ReceiptStore {
  all(): Promise<readonly { readonly key: number; readonly value: UnsentReceipt }[]>;
  add(value: UnsentReceipt): Promise<void>;
  remove(keys: readonly number[]): Promise<void>;
}

/** `kept`: it will be sent later. `refused`: it never will be taken. */
export type SendResult = "taken" | "kept" | "refused";

export interface ReceiptOutbox {
  send(receipt: Receipt, takenOff?: TakenOff): Promise<SendResult>;
  /** Sends what is kept, the oldest first. True once nothing is. */
  flush(): Promise<boolean>;
}

/** A day of a busy person; the oldest give way, being worth the least. */
const MAX_KEPT = 100;
/** The service takes none that is older. */
const KEEP_MS = 6 * 86_400_000;
const MINUTE_MS = 60_000;

const TOO_EARLY_OR_MANY: readonly number[] = [408, 425, 429];

function judge(status: number | undefined): SendResult {
  if (status === undefined || status >= 500 || TOO_EARLY_OR_MANY.includes(status)) return "kept";
  return status >= 200 && status < 300 ? "taken" : "refused";
}

/** What was put off at noon for an hour, and is said at half past, is put off for half an hour. */
function asOf(now: number, { at, receipt }: UnsentReceipt): Receipt {
  if (receipt.minutes === undefined) return receipt;
  const left = Math.ceil(receipt.minutes - (now - at) / MINUTE_MS);
  return { ...receipt, minutes: Math.max(1, left) };
}

export function createReceiptOutbox(deps: {
  readonly store: ReceiptStore;
  /** The status of the answer, or undefined if there was none. */
  readonly post: (receipt: Receipt) => Promise<number | undefined>;
  /** It was refused, now or later, and something was taken off the screen for it. */
  readonly putBack: (takenOff: TakenOff) => Promise<void>;
  readonly now: () => number;
}): ReceiptOutbox {
  const { store, post, putBack, now } = deps;
  let flushing: Promise<boolean> | undefined;

  async function keep(unsent: UnsentReceipt): Promise<void> {
    await store.add(unsent);
    const kept = await store.all();
    await store.remove(kept.slice(0, -MAX_KEPT).map(({ key }) => key));
  }

  async function sendKept(): Promise<boolean> {
    for (const { key, value } of await store.all()) {
      const isOld = now() - value.at > KEEP_MS;
      const result = isOld ? "refused" : judge(await post(asOf(now(), value)));
      // What cannot be sent now stays in front of what is newer.
      if (result === "kept") return false;
      await store.remove([key]);
      if (result === "refused" && value.takenOff !== undefined) await putBack(value.takenOff);
    }
    return true;
  }

  return {
    async send(receipt, takenOff) {
      const result = judge(await post(receipt));
      if (result === "refused" && takenOff !== undefined) await putBack(takenOff);
      // Without storage it is lost; the notification itself was shown, which is what matters.
      if (result === "kept") {
        await keep({ receipt, at: now(), takenOff }).catch(() => takenOff && putBack(takenOff));
      }
      return result;
    },
    flush() {
      flushing ??= sendKept()
        .catch(() => true)
        .finally(() => {
          flushing = undefined;
        });
      return flushing;
    },
  };
}
