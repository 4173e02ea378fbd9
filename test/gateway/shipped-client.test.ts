/**
 * The shipped client and a node, on a network and a Redis that fail in every way that is known: it ends
 * where the history does, was told of whatever is missing, and has shown nothing twice.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createClient, type ConnectionState } from "../../src/browser/client/client.ts";
import type { ClientEnvironment } from "../../src/browser/client/connection.ts";
import type { ReplayRequest } from "../../src/tracking/history.ts";
import { notification } from "../browser/client-harness.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createSimulation, USER, type FakeClient } from "./simulation.ts";
import { createWireReader } from "./wire-reader.ts";

type Simulation = ReturnType<typeof createSimulation>;

type Step =
  | {
      readonly do: "publish";
      readonly lost: boolean;
      readonly twice: boolean;
      readonly late: boolean;
    }
  | { readonly do: "rewind"; readonly messages: number }
  | { readonly do: "away"; readonly away: boolean }
  | { readonly do: "start" | "read" | "cut"; readonly which: number }
  | { readonly do: "compare" }
  | { readonly do: "wait"; readonly turns: number };

const TABS = 3;
const HISTORY_SIZE = 6;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      lost: fc.boolean(),
      twice: fc.boolean(),
      late: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rewind" as const), messages: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("away" as const), away: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("start" as const, "read" as const, "read" as const, "cut" as const),
      which: fc.nat(TABS - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("compare" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      turns: fc.integer({ min: 1, max: 6 }),
    }),
  },
);

/** Lets what has been decided happen; nothing here waits for real time. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

function replayOf(url: URL): ReplayRequest {
  const from = url.searchParams.get("replay_from");
  if (from === null) return { kind: "pending" };
  return { kind: "after", id: Number(from), epoch: url.searchParams.get("epoch") ?? undefined };
}

/** A tab with the shipped client in it. */
function createTab(simulation: Simulation) {
  const clock = createManualClock();
  const shown: string[] = [];
  const wire = createWireReader();
  let state: ConnectionState = { kind: "stopped" };
  let socket: FakeClient | undefined;
  let breakOff = (): void => {};

  const environment: ClientEnvironment = {
    openSocket(address, events) {
      const replay = replayOf(new URL(address));
      wire.begin(replay);
      const opened = simulation.open(replay, {
        message(text) {
          wire.read(text);
          events.message(text);
        },
        closed: (code) => events.closed(code),
      });
      socket = opened;
      breakOff = () => {
        socket = undefined;
        opened.close();
        events.closed(1006);
      };
      return { send: () => {}, close: () => opened.close() };
    },
    after: (delayMs, task) => clock.after(delayMs, task),
    random: () => 0.5,
    storage: { getItem: () => null, setItem: () => {} },
  };
  const client = createClient({
    url: "ws://node/ws/notify",
    userId: USER,
    pass: { kind: "ticket", get: () => Promise.resolve("ticket") },
    ack: true,
    startFrom: "history",
    environment,
    onNotification: (frame) => void shown.push(frame.notification_id),
    onState(now) {
      state = now;
    },
    onGap: () => {},
  });

  return {
    client,
    shown,
    wire,
    isStarted: () => state.kind !== "stopped",
    read: () => socket?.read(),
    cut: () => breakOff(),
  };
}
type Tab = ReturnType<typeof createTab>;

async function take(
  next: Step,
  { scheduler, simulation, tabs }: { scheduler: fc.Scheduler; simulation: Simulation; tabs: Tab[] },
): Promise<void> {
  switch (next.do) {
    case "publish":
      simulation.publish({ ...next, epoch: undefined });
      return;
    case "rewind":
      return simulation.store.rewind(next.messages);
    case "away":
      return simulation.store.setAway(next.away);
    case "start":
      return tabs[next.which]?.client.connect();
    case "read":
      tabs[next.which]?.read();
      return;
    case "cut":
      tabs[next.which]?.cut();
      return;
    case "compare":
      return simulation.compare();
    case "wait":
      for (let turn = 0; turn < next.turns && scheduler.count() > 0; turn += 1) {
        await scheduler.waitOne();
      }
  }
}

/**
 * Redis is back, letters arrive, everybody reads and comes back. What passed the node by is found by one
 * comparison, in the middle of all that: the next would be half a minute later.
 */
async function settle(scheduler: fc.Scheduler, simulation: Simulation, tabs: readonly Tab[]) {
  simulation.store.setAway(false);
  simulation.compare();
  for (let round = 0; round < 20; round += 1) {
    while (scheduler.count() > 0) await scheduler.waitOne();
    for (const tab of tabs) {
      tab.read();
      tab.client.retryNow();
    }
    await pause();
  }
}

describe("whatever fails", () => {
  it("a tab has what is kept, was told of what is not, and showed nothing twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 5, maxLength: 80 }),
        async (scheduler, plan) => {
          const simulation = createSimulation(
            (label) => scheduler.schedule(Promise.resolve(), label),
            HISTORY_SIZE,
            ({ replayId, epoch, noteId }) => notification(String(replayId), epoch, noteId),
          );
          const tabs = Array.from({ length: TABS }, () => createTab(simulation));
          for (const next of plan) {
            await take(next, { scheduler, simulation, tabs });
            await pause();
          }
          await settle(scheduler, simulation, tabs);
          const kept = simulation.store.entries();
          for (const tab of tabs.filter((one) => one.isStarted())) {
            expect(tab.wire.unannounced()).toEqual([]);
            const missed = kept.filter(({ noteId }) => !tab.shown.includes(noteId));
            expect(missed.filter(({ replayId }) => !tab.wire.wasToldOfLossAt(replayId))).toEqual(
              [],
            );
            expect(new Set(tab.shown).size).toBe(tab.shown.length);
          }
          const letters = simulation.answers.length;
          expect(letters).toBe(simulation.sentToNode());
        },
      ),
      { numRuns: Number(process.env["SIMULATIONS"] ?? 500) },
    );
  });
});
