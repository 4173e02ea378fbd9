/** Which buttons a push message offers, and in which order: browsers show the first two or three. Pure. */
import { MARK_READ, REMIND_LATER, SNOOZE_MINUTES } from "../contract/push-receipt.ts";
import type { Note } from "../tracking/note.ts";

const MINUTE_MS = 60_000;

interface PushAction {
  readonly action: string;
  readonly title: string;
  /** Where it leads; ours lead nowhere. */
  readonly url?: string;
}

/**
 * A reminder is made from the frame in the person's history, so there is none for a message that is not
 * in it, and none for one that will have expired by then.
 */
export function canSnooze(note: Pick<Note, "replayId" | "expiresAt">, now: number): boolean {
  if (note.replayId === null) return false;
  return note.expiresAt === null || note.expiresAt > now + SNOOZE_MINUTES * MINUTE_MS;
}

/**
 * The template's first action, then the one of ours that fits: what asks for something is put off, what
 * only tells something is marked as read. The rest behind it, for browsers that show more.
 */
export function pushActions(from: {
  readonly own: readonly PushAction[];
  readonly asksForSomething: boolean;
  readonly mayBeSnoozed: boolean;
  readonly labels: { readonly markRead: string; readonly remindLater: string };
}): PushAction[] {
  const { own, asksForSomething, mayBeSnoozed, labels } = from;
  const [first, ...rest] = own;
  const read = { action: MARK_READ, title: labels.markRead };
  const later = mayBeSnoozed ? [{ action: REMIND_LATER, title: labels.remindLater }] : [];
  const ours = asksForSomething ? [...later, read] : [read, ...later];
  const [fitting, ...other] = ours;
  return [first, fitting, ...rest, ...other].filter((action) => action !== undefined);
}
