/** The evidence in the orders in which it is asked: whose is what, and what may have been lost. */
import type { Asked, Evidence, PushTaken, StatedNote, TabLog, TextTaken } from "../evidence.ts";

export interface CaseFile extends Evidence {
  readonly notes: ReadonlyMap<string, StatedNote>;
  readonly askedByKey: ReadonlyMap<string, Asked>;
  /** The notes that are known to have come of it. */
  notesOf(asked: Asked): readonly StatedNote[];
  /** Who asked for this note, as far as an answer, an event id or a frame tells. */
  askedFor(noteId: string): Asked | undefined;
  /** Ids under which frames with this key came. */
  framedAs(key: string): ReadonlySet<string>;
  tabsOf(userId: string): readonly TabLog[];
  textsOf(key: string): readonly TextTaken[];
  pushesOf(noteId: string): readonly PushTaken[];
  /** Whether some browser of theirs subscribed to push, and Redis cannot have forgotten it. */
  hasBrowser(userId: string): boolean;
  /** Whether Redis may know nothing of what happened then, or of some of it. */
  isLost(from: number, to?: number): boolean;
  /** Whether it may have been taken back behind this acceptance, or behind what came of it soon after. */
  isAcceptanceLost(asked: Asked): boolean;
}

/**
 * What was begun on a Redis that was taken back may be finished on the one that came back: a request
 * that was claimed before is sent a moment after.
 */
const AFTERMATH_MS = 5_000;
/**
 * An event is the broker's before it is a note: it is read, accepted and committed within so long,
 * unless the product is down for longer. One that was written to a Redis that is back is not excused.
 */
const INTAKE_MS = 15_000;

export function openCaseFile(evidence: Evidence): CaseFile {
  const { asked, statement, tabs, survivedUntil, restoredAt } = evidence;
  const notes = new Map(statement.notes.map((note) => [note.notification_id, note]));
  const byEvent = Map.groupBy(statement.notes, ({ eventId }) => eventId ?? "");
  const askedByKey = new Map(asked.map((one) => [one.key, one]));
  const framed = framesByKey(tabs);
  const tabsByUser = Map.groupBy(tabs, ({ userId }) => userId);
  const texts = Map.groupBy(evidence.texts, ({ key }) => key);
  const pushes = Map.groupBy(evidence.pushes, ({ notificationId }) => notificationId);

  const owning = new Set(evidence.browsers.values());
  // They subscribe before anything is asked for.
  const firstAskedAt = asked.reduce(
    (first, { askedAt }) => Math.min(first, askedAt),
    Number.POSITIVE_INFINITY,
  );
  const isRemembered = survivedUntil === undefined || survivedUntil >= firstAskedAt;

  const isEvent = ({ by }: Asked): boolean => by === "kafka" || by === "domain";

  function notesOf(one: Asked): readonly StatedNote[] {
    if (isEvent(one)) return byEvent.get(one.key) ?? [];
    const ids = new Set(one.ids);
    // One that was never answered may have been taken: what it shows on pages tells.
    if (ids.size === 0) for (const id of framed.get(one.key) ?? []) ids.add(id);
    return [...ids].flatMap((id) => notes.get(id) ?? []);
  }
  const owners = new Map(
    asked.flatMap((one) => notesOf(one).map((note) => [note.notification_id, one] as const)),
  );

  function isLost(from: number, to = from): boolean {
    if (survivedUntil === undefined) return false;
    return to > survivedUntil && from <= (restoredAt ?? Number.POSITIVE_INFINITY) + AFTERMATH_MS;
  }

  return {
    ...evidence,
    notes,
    askedByKey,
    notesOf,
    askedFor: (noteId) => owners.get(noteId),
    framedAs: (key) => framed.get(key) ?? new Set(),
    tabsOf: (userId) => tabsByUser.get(userId) ?? [],
    textsOf: (key) => texts.get(key) ?? [],
    pushesOf: (noteId) => pushes.get(noteId) ?? [],
    hasBrowser: (userId) => isRemembered && owning.has(userId),
    isLost,
    isAcceptanceLost(one) {
      if (survivedUntil === undefined) return false;
      const { askedAt, acceptedAt = Number.POSITIVE_INFINITY } = one;
      const takenAt = isEvent(one) ? acceptedAt + INTAKE_MS : acceptedAt;
      const backAt = restoredAt ?? Number.POSITIVE_INFINITY;
      const isAnsweredLater = one.acceptedAt !== undefined && acceptedAt > backAt + AFTERMATH_MS;
      // What was asked for later was asked of the Redis that had come back, and of no other.
      return takenAt > survivedUntil && askedAt <= backAt && !isAnsweredLater;
    },
  };
}

function framesByKey(tabs: readonly TabLog[]): ReadonlyMap<string, Set<string>> {
  const framed = new Map<string, Set<string>>();
  for (const { events } of tabs) {
    for (const event of events) {
      if (event.kind !== "frame" || event.key === "") continue;
      const ids = framed.get(event.key) ?? new Set();
      framed.set(event.key, ids.add(event.notificationId));
    }
  }
  return framed;
}
