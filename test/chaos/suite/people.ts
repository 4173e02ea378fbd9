/** Who is written to in a run, and how each can be reached. */
import type { Random } from "../../support/random.ts";

/**
 * `reader`: pages open all the time. `wanderer`: a page that comes and goes. `away`: no page, but
 * browsers that subscribed to push. `phone`: only a number, which is rung when it is critical.
 */
export type PersonKind = "reader" | "wanderer" | "away" | "phone";

export interface Person {
  readonly userId: string;
  readonly kind: PersonKind;
  /** Pages open at the start. */
  readonly pages: number;
  /** Whether they acknowledge what they are shown. */
  readonly acknowledges: boolean;
  /** Browsers that subscribed to push. */
  readonly devices: number;
  /** Written to more often than others, which is what fills a history. */
  readonly isBusy: boolean;
}

const COUNTS: Readonly<Record<PersonKind, number>> = {
  reader: 150,
  wanderer: 30,
  away: 50,
  phone: 30,
};
/** Of the readers. */
const BUSY_SHARE = 0.1;
const SECOND_PAGE_SHARE = 0.15;
const ACKNOWLEDGING_SHARE = 0.7;
const MAX_DEVICES = 3;

export function makePeople(random: Random): readonly Person[] {
  const make = (kind: PersonKind, at: number): Person => {
    const hasPages = kind === "reader" || kind === "wanderer";
    const pages = hasPages ? 1 : 0;
    return {
      userId: `${kind}-${at}`,
      kind,
      pages: kind === "reader" && random.chance(SECOND_PAGE_SHARE) ? 2 : pages,
      acknowledges: random.chance(ACKNOWLEDGING_SHARE),
      devices: kind === "away" ? random.whole(1, MAX_DEVICES) : 0,
      isBusy: kind === "reader" && random.chance(BUSY_SHARE),
    };
  };
  return (["reader", "wanderer", "away", "phone"] as const).flatMap((kind) =>
    Array.from({ length: COUNTS[kind] }, (_, at) => make(kind, at)),
  );
}
