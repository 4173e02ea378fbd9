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
import type { ReplayRequest } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createFakeHistory, type Turn } from "./fake-history.ts";

export const USER = "anna";

/** What the person's own program hears of the connection. */
interface Ear {
  message(text: string): void;
  closed(code: number): void;
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
function createFakeSocket(scale: number, ear: Ear) {
  const received: Record<string, unknown>[] = [];
  const onDrain: (() => void)[] = [];
  const onClose: (() => void)[] = [];
  let waiting: string[] = [];
  let open = true;
  /** By the server: the client meets it behind all that was sent before. */
  let closedWith: number | undefined;
  return {
    received,
    socket: {
      OPEN: 1,
      get readyState() {
        return open ? 1 : 3;
      },
      CLOSED: 3,
      close: (code: number) => {
        open = false;
        closedWith ??= code;
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
      for (const text of texts) {
        received.push(JSON.parse(text));
        ear.message(text);
      }
      for (const listener of onDrain.splice(0)) listener();
      return closedWith;
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

/** What a client is sent of a message. */
type FieldsOf = (entry: HistoryEntry) => object;

const plainFields: FieldsOf = ({ replayId, epoch, noteId }) => ({
  replay_id: replayId,
  epoch,
  note: noteId,
});

const DEAF: Ear = { message: () => {}, closed: () => {} };

export function createSimulation(turn: Turn, historyLimit: number, fieldsOf = plainFields) {
  const frameOf = (entry: HistoryEntry): Frame => {
    const text = JSON.stringify({ ...fieldsOf(entry), padding: PADDING });
    return { ...entry, text: () => text, wire: () => encodeTextFrame(text) };
  };
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
    heartbeatIntervalMs: 30_000,
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

  let compared: Promise<void> = Promise.resolve();

  async function compare(before: Promise<void>): Promise<void> {
    await before;
    await turn("comparing reaches Redis");
    const position = store.position();
    await turn("comparing returns");
    hub.repair(new Map([[USER, position]]));
  }

  return {
    hub,
    store,
    answers,
    sentToNode: () => sent,
    /** The regular comparison: what it has read may be old when it comes back. */
    compare(): void {
      compared = compare(compared);
    },
    /** `twice`: its letter comes a second time; `late`: whenever it likes, in no order with others. */
    publish(options: {
      lost: boolean;
      epoch: string | undefined;
      twice?: boolean;
      late?: boolean;
    }): HistoryEntry {
      const entry = store.publish(options.epoch);
      if (!store.isRegistered() || options.lost) return entry;
      for (let letter = options.twice === true ? 2 : 1; letter > 0; letter -= 1) {
        sent += 1;
        if (options.late === true) void carry(entry, Promise.resolve());
        else wire = carry(entry, wire);
      }
      return entry;
    },
    open(replay: ReplayRequest, ear: Ear = DEAF): FakeClient {
      const fake = createFakeSocket(FRAME_BYTES, ear);
      const connection = new Connection(
        { clock, replayed: () => {}, ready: (ready) => hub.room(USER)?.ready(ready) },
        {
          ...fake,
          caller: { userId: USER, expiresAt: Infinity },
          acknowledges: false,
          resumed: replay.kind === "after",
        },
      );
      function leave(): void {
        fake.close();
        hub.leave(connection);
      }
      joinRoom(joinDeps, connection, replay).catch(() => {
        connection.close("server_error", "history unavailable");
      });
      return {
        received: fake.received,
        connection,
        read() {
          const code = fake.read();
          if (code === undefined) return;
          leave();
          ear.closed(code);
        },
        close: leave,
      };
    },
  };
}
