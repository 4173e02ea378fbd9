/** A user's history as `join.lua` reads it, here in plain terms, on a Redis that fails when it is told to. */
import type { HistoryEntry } from "../../src/contract/node-message.ts";
import type { History, HistoryView, Position } from "../../src/tracking/history.ts";

interface Stored {
  readonly entries: readonly HistoryEntry[];
  readonly epoch: string | null;
  readonly last: number;
  readonly base: number;
}

/** Waits for its turn. */
export type Turn = (label: string) => Promise<void>;

export function createFakeHistory(turn: Turn, limit: number) {
  let entries: readonly HistoryEntry[] = [];
  let epoch: string | null = null;
  let last = 0;
  let base = 0;
  let registered = false;
  let away = false;
  /** Another run of Redis, whose first message begins an epoch. */
  let restarts = 0;
  let renewed = 0;
  /** What the append-only file holds, message by message. */
  const log: Stored[] = [{ entries, epoch, last, base }];

  function mustBeThere(): void {
    if (away) throw new Error("Redis is away");
  }

  function view(selected: readonly HistoryEntry[]): HistoryView {
    return {
      epoch,
      last,
      base,
      oldest: entries[0]?.replayId ?? null,
      missing: 0,
      entries: selected,
    };
  }

  function newer(position: Position): HistoryEntry[] {
    const at = entries.findLastIndex(
      (entry) => entry.epoch === position.epoch && entry.replayId <= position.id,
    );
    return entries.slice(at + 1);
  }

  const history: Pick<History, "join" | "since"> = {
    async join({ replay }) {
      await turn("join reaches Redis");
      mustBeThere();
      registered = true;
      const from = replay.kind === "after" ? replay : { id: last, epoch: epoch ?? undefined };
      const whole = (from.epoch !== undefined && from.epoch !== epoch) || from.id > last;
      const found = view(whole ? [...entries] : entries.filter((e) => e.replayId > from.id));
      await turn("join returns");
      return found;
    },
    async since(_userId, position) {
      await turn("reading reaches Redis");
      mustBeThere();
      const found = view(newer(position));
      await turn("reading returns");
      return found;
    },
  };

  return {
    history,
    position: (): Position => ({ epoch, id: last }),
    /** The first id of the epoch is the one after it. */
    base: () => base,
    isRegistered: () => registered,
    entries: () => entries,
    setAway(value: boolean) {
      away = value;
    },
    /** Redis comes back without the last messages. */
    rewind(messages: number): void {
      log.splice(Math.max(1, log.length - messages));
      const stored = log.at(-1);
      if (stored !== undefined) ({ entries, epoch, last, base } = stored);
      restarts += 1;
    },
    publish(asked: string | undefined): HistoryEntry {
      const newEpoch = asked ?? (renewed === restarts ? undefined : `again${restarts}`);
      renewed = restarts;
      if (epoch === null) epoch = newEpoch ?? "e0";
      else if (newEpoch !== undefined) {
        epoch = newEpoch;
        last += 1_000;
        base = last;
      }
      last += 1;
      const entry = { replayId: last, epoch, noteId: `${epoch}-${last}`, payload: "x".repeat(200) };
      entries = [...entries, entry].slice(-limit);
      log.push({ entries, epoch, last, base });
      return entry;
    },
  };
}
