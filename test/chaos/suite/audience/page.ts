/** One open page: the client as it is shipped, with a storage of its own, and a log of what it lived through. */
import { createClient, type ConnectionState } from "../../../../src/browser/client/client.ts";
import type { ClientEnvironment } from "../../../../src/browser/client/connection.ts";
import type { TabEvent, TabLog } from "../evidence.ts";
import { openPageSocket, type PageSocket } from "./page-socket.ts";
import { advanceStanding, NOWHERE, type Standing } from "./standing.ts";
import { recordConnection } from "./tab-recorder.ts";

export interface PageOptions {
  readonly userId: string;
  readonly name: string;
  /** Whether it tells the server what arrived. */
  readonly acks: boolean;
  /** Where a gateway answers at the moment; asked before each attempt. */
  readonly addressOf: (userId: string) => string | Promise<string>;
  readonly token: (userId: string) => Promise<string>;
  readonly now: () => number;
  readonly random: () => number;
  /** Something is in the log that was not, or the connection came or went. */
  readonly onChange: () => void;
}

export interface Page {
  readonly userId: string;
  readonly name: string;
  open(): void;
  isConnected(): boolean;
  /** Where it stands in its user's history. */
  standing(): Standing;
  /** Something arrived that it has not acknowledged yet, and will. */
  owesAck(): boolean;
  /** Its network is gone without a goodbye; the client comes back by itself. */
  vanish(): void;
  /** The browser dies; somebody opens it again after so long, and its storage is what it was. */
  reopen(afterMs: number): void;
  /** This connection reads nothing for so long, if the client keeps it; resolves when that is over. */
  stopReading(durationMs: number): Promise<void>;
  /** Connects at once if it waits to do so. */
  retryNow(): void;
  log(): TabLog;
  close(): void;
}

/** A person whose token was refused signs in anew. */
const SIGN_IN_MS = 1_000;

export function createPage(options: PageOptions): Page {
  const { userId, name, acks, now, onChange } = options;
  const events: TabEvent[] = [];
  const stored = new Map<string, string>();
  const timers = new Set<NodeJS.Timeout>();
  let standing = NOWHERE;
  let counted = 0;
  let visit = -1;
  let state: ConnectionState["kind"] = "stopped";
  let socket: PageSocket | undefined;
  let client: ReturnType<typeof createClient> | undefined;
  let closed = false;

  function changed(): void {
    for (const event of events.slice(counted)) standing = advanceStanding(standing, event);
    counted = events.length;
    onChange();
  }

  function later(delayMs: number, task: () => void): () => void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, delayMs);
    timers.add(timer);
    return () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
  }

  const environment: ClientEnvironment = {
    random: options.random,
    after: later,
    storage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
    },
    openSocket(url, listeners) {
      const asked = new URL(url);
      const recorder = recordConnection(events, { url: asked, visit, now });
      const address = (async () => await options.addressOf(userId))();
      const opened = openPageSocket(address, asked, {
        recorder,
        events: {
          message(text) {
            listeners.message(text);
            changed();
          },
          closed(code) {
            listeners.closed(code);
            changed();
          },
        },
      });
      socket = opened;
      return {
        send(text) {
          opened.send(text);
          changed();
        },
        close: () => opened.close(),
      };
    },
  };

  function visitPage(): void {
    if (closed) return;
    visit += 1;
    const visited = createClient({
      // Each attempt has its own address.
      url: "ws://school.test/ws/notify",
      userId,
      pass: { kind: "token", get: async () => await options.token(userId) },
      ack: acks,
      startFrom: "history",
      environment,
      onNotification({ notification_id: notificationId }) {
        events.push({ kind: "shown", at: now(), notificationId });
      },
      onState(next) {
        if (visited !== client) return;
        state = next.kind;
        if (state === "refused") later(SIGN_IN_MS, visitPage);
        onChange();
      },
      onGap: () => {},
    });
    client = visited;
    visited.connect();
  }

  function leave(): void {
    socket?.destroy();
    const left = client;
    client = undefined;
    left?.stop();
    state = "stopped";
  }

  return {
    userId,
    name,
    open: visitPage,
    isConnected: () => state === "open",
    standing: () => standing,

    owesAck() {
      if (!acks || state !== "open") return false;
      const last = events.findLast(({ kind }) => kind === "frame" || kind === "acked");
      return last?.kind === "frame";
    },

    vanish: () => socket?.destroy(),

    reopen(afterMs) {
      if (client === undefined) return;
      leave();
      later(afterMs, visitPage);
    },

    stopReading(durationMs) {
      const unread = socket;
      const { promise, resolve } = Promise.withResolvers<void>();
      unread?.pause();
      later(durationMs, () => {
        unread?.resume();
        resolve();
      });
      return promise;
    },

    retryNow: () => client?.retryNow(),

    log: () => ({ userId, name, events: [...events], connectedAtEnd: state === "open" }),

    close() {
      closed = true;
      leave();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
