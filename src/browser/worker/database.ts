/** What the service worker remembers: receipts that were not sent, and what was read while no page was open. */
import * as z from "zod/mini";
import { RECEIPT_EVENTS } from "../../contract/push-receipt.ts";
import type { ReceiptStore } from "./receipt-outbox.ts";

export interface ReadMemory {
  add(notificationId: string): Promise<void>;
  all(): Promise<readonly string[]>;
}

const NAME = "schoolbell-receipts";
const VERSION = 1;
const UNSENT = "unsent";
const READ = "read";
/** As many as the service keeps for a person. */
const MAX_READ = 100;

const unsentSchema = z.object({
  receipt: z.object({
    receipt: z.string(),
    event: z.enum(RECEIPT_EVENTS),
    minutes: z.optional(z.number()),
  }),
  at: z.number(),
  takenOff: z.optional(z.object({ title: z.string(), options: z.record(z.string(), z.unknown()) })),
});

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("no reason given")));
  });
}

let opening: Promise<IDBDatabase> | undefined;

/** Opened by the first that needs it; a browser may refuse, and is asked again the next time. */
async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.addEventListener("upgradeneeded", () => {
    for (const name of [UNSENT, READ]) {
      request.result.createObjectStore(name, { autoIncrement: true });
    }
  });
  return await done(request);
}

async function within(name: string, mode: IDBTransactionMode): Promise<IDBObjectStore> {
  opening ??= open();
  try {
    return (await opening).transaction(name, mode).objectStore(name);
  } catch (error) {
    // Also when the person has cleared this site's data, which closes it.
    opening = undefined;
    throw error;
  }
}

async function entries(name: string): Promise<{ key: number; value: unknown }[]> {
  const store = await within(name, "readonly");
  const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  return keys.map((key, at) => ({ key: Number(key), value: values[at] as unknown }));
}

async function add(name: string, value: unknown): Promise<void> {
  await done((await within(name, "readwrite")).add(value));
}

async function remove(name: string, keys: readonly number[]): Promise<void> {
  if (keys.length === 0) return;
  const store = await within(name, "readwrite");
  await Promise.all(keys.map((key) => done(store.delete(key))));
}

export const unsentReceipts: ReceiptStore = {
  async all() {
    const all = await entries(UNSENT);
    const read = all.map(({ key, value }) => ({
      key,
      value: z.safeParse(unsentSchema, value).data,
    }));
    const unreadable = read.filter(({ value }) => value === undefined);
    await remove(
      UNSENT,
      unreadable.map(({ key }) => key),
    );
    return read.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }]));
  },
  add: (value) => add(UNSENT, value),
  remove: (keys) => remove(UNSENT, keys),
};

export const readMemory: ReadMemory = {
  async add(notificationId) {
    await add(READ, notificationId);
    const all = await entries(READ);
    await remove(
      READ,
      all.slice(0, -MAX_READ).map(({ key }) => key),
    );
  },
  async all() {
    return (await entries(READ)).flatMap(({ value }) => (typeof value === "string" ? [value] : []));
  },
};
