/** How long it took until messages came through again, and until all that had waited was done. Pure. */
import type { Evidence } from "../evidence.ts";
import type { AffectedPath } from "../faults/fault.ts";
import type { FaultName } from "../faults/faults.ts";

/** One fault as it happened. */
export interface Struck {
  readonly fault: FaultName;
  readonly path: AffectedPath;
  readonly struckAt: number;
  /** From then on recovery counts; for a process that was killed, the moment of the kill. */
  readonly liftedAt: number;
}

export interface Recovery {
  readonly fault: FaultName;
  /** Until the first message that was asked for after the fault had arrived, ms. */
  readonly firstMs: number | undefined;
  /** Until the last message that was asked for before had arrived, ms; 0 where none was late. */
  readonly caughtUpMs: number;
}

/** A message that was asked for and came. */
interface Arrival {
  readonly askedAt: number;
  readonly at: number;
}

/** @returns one for each fault that no other fault overlapped */
export function measureRecovery(struck: readonly Struck[], evidence: Evidence): Recovery[] {
  return struck
    .filter((one) => struck.every((other) => other === one || !overlap(one, other)))
    .map((one) => recoveryOf(one, arrivalsOn(one.path, evidence)));
}

/** What comes soon after a fault may still be its doing. */
const AFTERMATH_MS = 5_000;

function overlap(one: Struck, other: Struck): boolean {
  return (
    one.struckAt <= other.liftedAt + AFTERMATH_MS && other.struckAt <= one.liftedAt + AFTERMATH_MS
  );
}

function recoveryOf({ fault, liftedAt }: Struck, arrivals: readonly Arrival[]): Recovery {
  const after = arrivals.filter(({ askedAt }) => askedAt >= liftedAt).map(({ at }) => at);
  const late = arrivals
    .filter(({ askedAt, at }) => askedAt < liftedAt && at > liftedAt)
    .map(({ at }) => at);
  return {
    fault,
    firstMs: after.length === 0 ? undefined : minOf(after) - liftedAt,
    caughtUpMs: late.length === 0 ? 0 : maxOf(late) - liftedAt,
  };
}

const minOf = (times: readonly number[]): number =>
  times.reduce((one, other) => Math.min(one, other));
const maxOf = (times: readonly number[]): number =>
  times.reduce((one, other) => Math.max(one, other));

/** The first arrival of each notification that came this way. */
function arrivalsOn(path: AffectedPath, evidence: Evidence): Arrival[] {
  const first = firstArrivals(path, evidence);
  return evidence.asked.flatMap(({ key, ids, by, askedAt, scheduled }) => {
    // It comes when it is due, whatever happens before.
    if (scheduled) return [];
    if (path === "kafka" && by !== "kafka" && by !== "domain") return [];
    const at = first.get(key) ?? ids.map((id) => first.get(id)).find((time) => time !== undefined);
    return at === undefined ? [] : [{ askedAt, at }];
  });
}

/** By key, and for pushes, which name no key, by notification id. */
function firstArrivals(path: AffectedPath, evidence: Evidence): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  const note = (name: string, at: number): void => {
    first.set(name, Math.min(at, first.get(name) ?? Number.POSITIVE_INFINITY));
  };
  switch (path) {
    case "websocket":
    case "kafka":
      for (const { events } of evidence.tabs) {
        for (const event of events) if (event.kind === "frame") note(event.key, event.at);
      }
      break;
    case "push":
      for (const { notificationId, at, status } of evidence.pushes) {
        if (status === 201) note(notificationId, at);
      }
      break;
    case "sms":
      for (const { key, at } of evidence.texts) note(key, at);
      break;
  }
  return first;
}
