/**
 * What this process has sealed and most likely opens again in a moment: a worker's frame that comes
 * back, by way of Redis, to the gateway in the same process. It is handed out once, and only for the
 * very text that was made of it.
 */
import type { Sealing } from "./sealing.ts";

/** Frames on their way: a few hundred under load, of about 2 KB. Those for other nodes are pushed out. */
const MAX_KEPT = 1_000;

/** Of a sealed text: its random beginning, after the mark, which no two have in common. */
const NAME_FROM = 3;
const NAME_TO = 19;

interface Kept {
  readonly sealed: string;
  readonly plain: string;
}

/** Seals and opens as `sealing` does, and what it sealed itself without deciphering. */
export function createSealMemo(sealing: Sealing): Sealing {
  const kept = new Map<string, Kept>();
  const nameOf = (sealed: string): string => sealed.slice(NAME_FROM, NAME_TO);

  function keep(sealed: string, plain: string): void {
    if (kept.size >= MAX_KEPT) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    kept.set(nameOf(sealed), { sealed, plain });
  }

  return {
    seal(plain) {
      const sealed = sealing.seal(plain);
      keep(sealed, plain);
      return sealed;
    },
    open(sealed) {
      const name = nameOf(sealed);
      const own = kept.get(name);
      if (own === undefined) return sealing.open(sealed);
      kept.delete(name);
      return own.sealed === sealed ? own.plain : sealing.open(sealed);
    },
    digest: (value) => sealing.digest(value),
  };
}
