/**
 * What is wrong with something that strangers wrote, as a text for logs and dead letters: places and
 * reasons, bounded, and nothing that can move a terminal's cursor.
 */

export interface Fault {
  /** Names of fields and positions in lists, from the outside in; empty for the whole. */
  readonly place: string;
  readonly message: string;
}

/** Enough to mend a producer by: a list of a thousand wrong entries has a thousand faults. */
const MAX_FAULTS = 10;
/** Longer than any place in what we know. Names that were made up may be texts of any length. */
const MAX_PLACE_LENGTH = 60;
const CUT = "...";

/** Of a place that somebody may have made up: one line of at most 60 characters. */
function shortPlace(place: string): string {
  const plain = place.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  if (plain.length <= MAX_PLACE_LENGTH) return plain;
  return `${plain.slice(0, MAX_PLACE_LENGTH - CUT.length).replace(/[\uD800-\uDBFF]$/, "")}${CUT}`;
}

/** `data.teacher_id: must be ...; data.priority: ...`, and how many more there are. */
export function faultText(faults: readonly Fault[]): string {
  const told = faults
    .slice(0, MAX_FAULTS)
    .map(({ place, message }) => (place === "" ? message : `${shortPlace(place)}: ${message}`));
  const more = faults.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
