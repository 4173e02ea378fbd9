/**
 * What this process has sealed and most likely opens again in a moment: a worker's frame that comes
 * back, by way of Redis, to the gateway in the same process. It is handed out once, and only for the
 * very text that was made of it.
 */
import type { Sealing } from "./sealing.ts";

/** Frames on their way: a few hundred under load, of about 2 KB. Those for other nodes are pushed out. */
const MAX_KEPT = 1_000;
/** Of both texts of all frames: a few large ones, which a request or a record may be, push out the others. */
const MAX_KEPT_CHARACTERS = 16_000_000;

/** Of a sealed text: random characters near its beginning, after any mark, which no two have in common. */
const NAME_FROM = 12;
const NAME_TO = 28;

interface Kept {
  readonly sealed: string;
  readonly plain: string;
}

/** Seals and opens as `sealing` does, and what it sealed itself without deciphering. */
export function createSealMemo(sealing: Sealing): Sealing {
  const kept = new Map<string, Kept>();
  let characters = 0;
  const nameOf = (sealed: string): string => sealed.slice(NAME_FROM, NAME_TO);

  function forget(name: string, { sealed, plain }: Kept): void {
    kept.delete(name);
    characters -= sealed.length + plain.length;
  }

  function keep(sealed: string, plain: string): void {
    kept.set(nameOf(sealed), { sealed, plain });
    characters += sealed.length + plain.length;
    if (kept.size <= MAX_KEPT && characters <= MAX_KEPT_CHARACTERS) return;
    for (const [name, oldest] of kept) {
      forget(name, oldest);
      if (kept.size <= MAX_KEPT && characters <= MAX_KEPT_CHARACTERS) break;
    }
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
      forget(name, own);
      return own.sealed === sealed ? own.plain : sealing.open(sealed);
    },
    digest: (value) => sealing.digest(value),
    digests: (value) => sealing.digests(value),
    keyIds: sealing.keyIds,
  };
}
