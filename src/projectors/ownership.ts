/**
 * Whom each event of a chunk is for: the user it names, if that is who owns what it is about; else
 * the owner. In order, so that an event may use what an earlier one of the same chunk taught.
 */
import type { OwnedKind } from "./domain-event.ts";
import type { Owned, OwnerClaim, OwnerIndex } from "./owner-index.ts";

/** What an event says of persons and things. */
export interface Ownable {
  readonly userId: string | undefined;
  readonly batchId: string | undefined;
  readonly classId: string | undefined;
  /** Of what its user is the owner, if the event is a word on that. */
  readonly owns: OwnedKind | undefined;
}

export type Ownership =
  | { readonly kind: "owner"; readonly userId: string }
  /** This is not owned by the user whom the event, or else its batch, names. */
  | { readonly kind: "mismatch"; readonly owned: OwnedKind }
  | { readonly kind: "unknown" };

type Known = Map<string, string>;

const keyOf = ({ kind, id }: Owned): string => `${kind}:${id}`;

/** The batch first: it says it more precisely than the class that it belongs to. */
function ownedBy({ batchId, classId }: Ownable): Owned[] {
  return [
    ...(batchId === undefined ? [] : [{ kind: "batch", id: batchId } as const]),
    ...(classId === undefined ? [] : [{ kind: "class", id: classId } as const]),
  ];
}

/** For the user it names, else the batch's owner, else the class's; all that is known must agree. */
function ownershipOf(event: Ownable, known: Known): Ownership {
  const owners = ownedBy(event).map((owned) => ({ owned, owner: known.get(keyOf(owned)) }));
  const userId = event.userId ?? owners.find(({ owner }) => owner !== undefined)?.owner;
  if (userId === undefined) return { kind: "unknown" };
  const foreign = owners.find(({ owner }) => owner !== undefined && owner !== userId);
  return foreign === undefined
    ? { kind: "owner", userId }
    : { kind: "mismatch", owned: foreign.owned.kind };
}

/** What the event teaches, if that is new. One that names the wrong user teaches nothing. */
function lessonOf(event: Ownable, ownership: Ownership, known: Known): OwnerClaim | undefined {
  const { userId, owns } = event;
  if (userId === undefined || owns === undefined || ownership.kind !== "owner") return undefined;
  const owned = ownedBy(event).find(({ kind }) => kind === owns);
  if (owned === undefined || known.has(keyOf(owned))) return undefined;
  return { ...owned, userId };
}

/** Goes through the chunk with what is known; what events teach is added to it. */
function walk(
  events: readonly Ownable[],
  known: Known,
): { ownerships: Ownership[]; lessons: OwnerClaim[] } {
  const lessons: OwnerClaim[] = [];
  const ownerships = events.map((event) => {
    const ownership = ownershipOf(event, known);
    const lesson = lessonOf(event, ownership, known);
    if (lesson !== undefined) {
      lessons.push(lesson);
      known.set(keyOf(lesson), lesson.userId);
    }
    return ownership;
  });
  return { ownerships, lessons };
}

/**
 * @returns one for each event, in order. Two round trips, and two more each time another process was
 * first to teach something else: then the chunk is gone through again with what holds.
 */
export async function resolveOwners(
  events: readonly Ownable[],
  index: Pick<OwnerIndex, "ownersOf" | "learn">,
): Promise<Ownership[]> {
  const asked = [
    ...new Map(events.flatMap(ownedBy).map((owned) => [keyOf(owned), owned])).values(),
  ];
  const owners = await index.ownersOf(asked);
  const stored: Known = new Map();
  asked.forEach((owned, at) => {
    const owner = owners[at];
    if (owner !== undefined) stored.set(keyOf(owned), owner);
  });

  for (;;) {
    const { ownerships, lessons } = walk(events, new Map(stored));
    const holders = await index.learn(lessons);
    let overtaken = false;
    lessons.forEach((lesson, at) => {
      const holder = holders[at] ?? lesson.userId;
      stored.set(keyOf(lesson), holder);
      overtaken ||= holder !== lesson.userId;
    });
    // Each turn settles at least one more entry, so this ends.
    if (!overtaken) return ownerships;
  }
}
