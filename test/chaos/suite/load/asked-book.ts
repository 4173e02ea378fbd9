/** Keeps what was asked for, and what was answered: the sender's own books. */
import type { Asked } from "../evidence.ts";
import type { Errand } from "./errand.ts";

interface Entry {
  readonly errand: Errand;
  readonly askedAt: number;
  acceptedAt: number | undefined;
  readonly ids: Set<string>;
  cancelled: boolean;
}

export interface AskedBook {
  /** Called once, before the first try. */
  open(errand: Errand): void;
  /** An answer that it is taken: with the id, or by the broker without one. */
  accepted(errand: Errand, id: string | undefined): void;
  cancelled(errand: Errand): void;
  /** The first id that was answered. */
  idOf(errand: Errand): string | undefined;
  asked(): readonly Asked[];
}

export function createAskedBook(now: () => number): AskedBook {
  const entries = new Map<string, Entry>();

  function entryOf({ key }: Errand): Entry {
    const entry = entries.get(key);
    if (entry === undefined) throw new Error(`${key} was never asked for`);
    return entry;
  }

  return {
    open(errand) {
      entries.set(errand.key, {
        errand,
        askedAt: now(),
        acceptedAt: undefined,
        ids: new Set(),
        cancelled: false,
      });
    },
    accepted(errand, id) {
      const entry = entryOf(errand);
      entry.acceptedAt ??= now();
      if (id !== undefined) entry.ids.add(id);
    },
    cancelled(errand) {
      entryOf(errand).cancelled = true;
    },
    idOf: (errand) => entryOf(errand).ids.values().next().value,
    asked: () =>
      [...entries.values()].map(({ errand, askedAt, acceptedAt, ids, cancelled }) => ({
        key: errand.key,
        by: errand.by,
        userId: errand.userId,
        phoneNumber: errand.phoneNumber,
        critical: errand.critical,
        askedAt,
        acceptedAt,
        ids: [...ids],
        scheduled: errand.delayMs !== undefined,
        cancelled,
      })),
  };
}
