/**
 * Redis, its network and the clients' networks as a simulation whose every step waits for a
 * scheduler, so that a property test can try the interleavings that a real network rarely shows.
 */
import { Connection } from "../../src/gateway/connection.ts";
import type { Frame } from "../../src/gateway/frame.ts";
import { createHub, type Hub } from "../../src/gateway/hub.ts";
import { encodeTextFrame } from "../../src/gateway/text-frame.ts";
import { joinRoom } from "../../src/gateway/join.ts";
import { createTurnstile } from "../../src/gateway/turnstile.ts";
import type { HistoryEntry, NodeAnswer } from "../../src/contract/node-message.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import type { History, HistoryView, Position } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";

export const USER = "anna";

/** Waits for its turn. */
export type Turn = (label: string) => Promise<void>;

/** A user's history as `join.lua` reads it, here in plain terms. */
function createFakeHistory(turn: Turn, limit: number) {
  let entries: HistoryEntry[] = [];
  let epoch: string | null = null;
  let last = 0;
  let base = 0;
  let registered = false;

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
      registered = true;
      const from = replay.kind === "after" ? replay : { id: last, epoch: epoch ?? undefined };
      const whole = (from.epoch !== undefined && from.epoch !== epoch) || from.id > last;
      const found = view(whole ? [...entries] : entries.filter((e) => e.replayId > from.id));
      await turn("join returns");
      return found;
    },
    async since(_userId, position) {
      await turn("reading reaches Redis");
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
    publish(newEpoch: string | undefined): HistoryEntry {
      if (epoch === null) epoch = newEpoch ?? "e0";
      else if (newEpoch !== undefined) {
        epoch = newEpoch;
        last += 1_000;
        base = last;
      }
      last += 1;
      const entry = { replayId: last, epoch, noteId: `${epoch}-${last}`, payload: "x".repeat(200) };
      entries = [...entries, entry].slice(-limit);
      return entry;
    },
  };
}

export interface FakeClient {
  /** What arrived, in order. */
  readonly received: readonly Record<string, unknown>[];
  readonly connection: Connection;
  /** Lets the client read all that waits. */
  read(): void;
  close(): void;
}

/** The texts of unmasked text frames of less than 64 KB, one behind the other. */
function readFrames(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 0x81) throw new Error("this is not the beginning of a text frame");
    const short = bytes.readUInt8(at + 1);
    const from = short < 126 ? at + 2 : at + 4;
    const length = short < 126 ? short : bytes.readUInt16BE(at + 2);
    texts.push(bytes.toString("utf8", from, from + length));
    at = from + length;
  }
  return texts;
}

/** A socket whose buffer empties only when `read` is called. Its limit is a few frames. */
function createFakeSocket(scale: number) {
  const received: Record<string, unknown>[] = [];
  const onDrain: (() => void)[] = [];
  const onClose: (() => void)[] = [];
  let waiting: string[] = [];
  let open = true;
  return {
    received,
    socket: {
      OPEN: 1,
      get readyState() {
        return open ? 1 : 3;
      },
      CLOSED: 3,
      close: () => {
        open = false;
      },
      terminate: () => {
        open = false;
      },
      once: (_event: "close", listener: () => void) => onClose.push(listener),
    },
    stream: {
      get writableLength() {
        return waiting.length * scale;
      },
      write: (bytes: Buffer) => waiting.push(...readFrames(bytes)),
      once: (_event: "drain", listener: () => void) => onDrain.push(listener),
    },
    read() {
      const texts = waiting;
      waiting = [];
      for (const text of texts) received.push(JSON.parse(text));
      for (const listener of onDrain.splice(0)) listener();
    },
    close() {
      open = false;
      for (const listener of onClose) listener();
    },
  };
}

/** So few that some have to wait. */
const JOINS_AT_A_TIME = 2;

/** Bytes that each waiting frame counts for: five of them make a socket slow, none hopeless. */
const FRAME_BYTES = 60_000;
/** So that a replay of more than a few is not written in one piece either. */
const PADDING = "x".repeat(FRAME_BYTES);

const frameOf = (entry: HistoryEntry): Frame => {
  const text = JSON.stringify({
    replay_id: entry.replayId,
    epoch: entry.epoch,
    note: entry.noteId,
    padding: PADDING,
  });
  return { ...entry, text: () => text, wire: () => encodeTextFrame(text) };
};

export function createSimulation(turn: Turn, historyLimit: number) {
  const clock = createManualClock();
  const log = createSilentLogger();
  const store = createFakeHistory(turn, historyLimit);
  const answers: NodeAnswer[] = [];
  const hub: Hub = createHub({
    history: store.history,
    answers: { add: (_worker, answer) => void answers.push(answer) },
    frameOf,
    onSent: () => {},
    log,
    clock,
  });
  const joinDeps = {
    history: store.history,
    hub,
    frameOf,
    nodeId: "n",
    heartbeatIntervalMs: 1,
    inTurn: createTurnstile(JOINS_AT_A_TIME),
  };
  /** Messages travel in the order in which they were sent. */
  let wire: Promise<void> = Promise.resolve();
  let sent = 0;

  async function carry(entry: HistoryEntry, before: Promise<void>): Promise<void> {
    await before;
    await turn("a message arrives");
    hub.deliver({ ...entry, userId: USER, fence: 1, workerId: "w", wantsAck: false });
  }

  return {
    hub,
    store,
    answers,
    sentToNode: () => sent,
    publish(options: { lost: boolean; epoch: string | undefined }): void {
      const entry = store.publish(options.epoch);
      if (!store.isRegistered() || options.lost) return;
      sent += 1;
      wire = carry(entry, wire);
    },
    open(from: { id: number; epoch: string | undefined }): FakeClient {
      const fake = createFakeSocket(FRAME_BYTES);
      const connection = new Connection(
        { clock, replayed: () => {}, ready: (ready) => hub.room(USER)?.ready(ready) },
        {
          ...fake,
          caller: { userId: USER, expiresAt: Infinity },
          acknowledges: false,
          resumed: true,
        },
      );
      void joinRoom(joinDeps, connection, { kind: "after", ...from });
      return {
        received: fake.received,
        connection,
        read: () => fake.read(),
        close() {
          fake.close();
          hub.leave(connection);
        },
      };
    },
  };
}
