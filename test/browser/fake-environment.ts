/** What a browser offers the client, with time and network in the test's hands. */
import type { ClientEnvironment, SocketEvents } from "../../src/browser/client/connection.ts";
import { createManualClock } from "../support/manual-clock.ts";

export interface FakeSocket {
  /** The query that the client connected with. */
  readonly query: URLSearchParams;
  /** Frames that the client sent. */
  readonly sent: unknown[];
  readonly closedByClient: boolean;
  receive(frame: unknown): void;
  drop(code: number): void;
}

export function createFakeEnvironment(stored: Record<string, string> = {}) {
  const clock = createManualClock(0);
  const sockets: FakeSocket[] = [];
  const storage = new Map(Object.entries(stored));

  const environment: ClientEnvironment = {
    openSocket(url, events) {
      const sent: unknown[] = [];
      const state = { closedByClient: false };
      sockets.push(fakeSocket(url, events, sent, state));
      return {
        send: (text) => void sent.push(JSON.parse(text)),
        close() {
          state.closedByClient = true;
        },
      };
    },
    after: (delayMs, task) => clock.after(delayMs, task),
    random: () => 0.5,
    storage: {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
    },
  };
  return {
    environment,
    clock,
    sockets,
    storage,
    /** The latest connection attempt. */
    last: (): FakeSocket => {
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error("the client has not connected");
      return socket;
    },
  };
}

function fakeSocket(
  url: string,
  events: SocketEvents,
  sent: unknown[],
  state: { closedByClient: boolean },
): FakeSocket {
  return {
    query: new URL(url).searchParams,
    sent,
    get closedByClient() {
      return state.closedByClient;
    },
    receive: (frame) => events.message(typeof frame === "string" ? frame : JSON.stringify(frame)),
    drop: (code) => events.closed(code),
  };
}
