/**
 * The leave to put another subscription in the place of this browser's: the page gets it when it
 * subscribes, and the service worker needs it when no page is open. Both run this file.
 */

const DATABASE = "schoolbell-renewal";
const STORE = "renewal";
const KEY = "current";

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("no reason given")));
  });
}

/** Opened for each use, months apart: the person may have cleared this site's data in between. */
async function withStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.addEventListener("upgradeneeded", () => {
    opening.result.createObjectStore(STORE);
  });
  const database = await resultOf(opening);
  try {
    return await resultOf(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

/** @returns undefined where there is none, or the browser keeps nothing. */
export async function readRenewal(): Promise<string | undefined> {
  const kept = await withStore<unknown>("readonly", (store) => store.get(KEY)).catch(
    () => undefined,
  );
  return typeof kept === "string" ? kept : undefined;
}

/** Without it nothing is lost but that the next page has to do it. */
export async function keepRenewal(renewal: string | undefined): Promise<void> {
  const kept =
    renewal === undefined
      ? withStore("readwrite", (store) => store.delete(KEY))
      : withStore("readwrite", (store) => store.put(renewal, KEY));
  await kept.catch(() => undefined);
}
