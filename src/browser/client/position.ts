/** Remembers how far a person's messages were received: replay id and epoch, in memory and across visits. */
import * as z from "zod/mini";

interface Position {
  readonly epoch: string;
  /** Decimal text; compared as a number of at most 15 digits. */
  readonly replayId: string;
}

/** The part of `localStorage` that is needed. */
export interface PositionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface PositionKeeper {
  /** What an earlier visit left. */
  readonly stored: Position | undefined;
  current(): Position | undefined;
  /** Moves forward; within an epoch never back. */
  advance(next: Position): void;
}

const positionSchema = z.object({
  epoch: z.string().check(z.minLength(1), z.maxLength(64)),
  replayId: z.string().check(z.regex(/^\d{1,15}$/)),
});

function load(storage: PositionStorage, key: string): Position | undefined {
  try {
    return z.safeParse(positionSchema, JSON.parse(storage.getItem(key) ?? "null")).data;
  } catch {
    return undefined;
  }
}

/** Private windows and full disks refuse to store; then the position lives as long as the tab. */
export function createPositionKeeper(storage: PositionStorage, userId: string): PositionKeeper {
  const key = `schoolbell.position.${userId}`;
  const stored = load(storage, key);
  let position: Position | undefined;

  return {
    stored,
    current: () => position,
    advance(next) {
      const behind =
        position?.epoch === next.epoch && Number(next.replayId) <= Number(position.replayId);
      if (behind) return;
      position = next;
      try {
        storage.setItem(key, JSON.stringify(next));
      } catch {
        // Kept in memory, which is all that can be done.
      }
    },
  };
}
