/** Messages published while sockets join, stall, fall behind and leave: none lost, none twice. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSimulation, USER, type FakeClient } from "./simulation.ts";

type Step =
  | { readonly do: "publish"; readonly lost: boolean; readonly restart: boolean }
  | { readonly do: "open"; readonly back: number }
  | { readonly do: "read" | "close"; readonly which: number }
  | { readonly do: "wait"; readonly turns: number };

function steps(options: { restarts: boolean; losses: boolean }): fc.Arbitrary<Step[]> {
  const publish = fc.record({
    do: fc.constant("publish" as const),
    lost: options.losses ? fc.boolean() : fc.constant(false),
    restart: options.restarts
      ? fc.integer({ min: 0, max: 9 }).map((n) => n === 0)
      : fc.constant(false),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { arbitrary: publish, weight: 5 },
    { arbitrary: fc.record({ do: fc.constant("open" as const), back: fc.nat(4) }), weight: 2 },
    {
      arbitrary: fc.record({
        do: fc.constantFrom("read" as const, "close" as const),
        which: fc.nat(5),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        turns: fc.integer({ min: 1, max: 6 }),
      }),
      weight: 4,
    },
  );
  return fc.array(step, { minLength: 1, maxLength: 60 });
}

interface Opened {
  readonly client: FakeClient;
  readonly from: number;
  readonly epoch: string | undefined;
  readonly leftAt: { closed: boolean };
}

/** Runs the steps in an order of effects that the scheduler picks; then lets all come to rest. */
async function run(
  scheduler: fc.Scheduler,
  plan: readonly Step[],
  options: { historyLimit: number; compares: boolean },
) {
  const simulation = createSimulation(
    (label) => scheduler.schedule(Promise.resolve(), label),
    options.historyLimit,
  );
  const opened: Opened[] = [];
  let epochs = 0;
  for (const step of plan) {
    if (step.do === "publish") {
      const epoch = step.restart ? `r${(epochs += 1)}` : undefined;
      simulation.publish({ lost: step.lost, epoch });
    } else if (step.do === "open") {
      const { id, epoch } = simulation.store.position();
      const from = Math.max(simulation.store.base(), id - step.back);
      const client = simulation.open({ kind: "after", id: from, epoch: epoch ?? undefined });
      opened.push({ client, from, epoch: epoch ?? undefined, leftAt: { closed: false } });
    } else if (step.do === "wait") {
      for (let turn = 0; turn < step.turns; turn += 1) {
        if (scheduler.count() > 0) await scheduler.waitOne();
      }
    } else {
      const chosen = opened[step.which % Math.max(1, opened.length)];
      if (chosen === undefined || chosen.leftAt.closed) continue;
      if (step.do === "read") chosen.client.read();
      else {
        chosen.leftAt.closed = true;
        chosen.client.close();
      }
    }
  }
  await settle(scheduler, simulation, opened, options.compares);
  return { simulation, opened };
}

/** All messages arrive and everybody reads; `compares`: the regular comparison runs as well. */
async function settle(
  scheduler: fc.Scheduler,
  simulation: ReturnType<typeof createSimulation>,
  opened: readonly Opened[],
  compares: boolean,
): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    while (scheduler.count() > 0) await scheduler.waitOne();
    for (const { client, leftAt } of opened) if (!leftAt.closed) client.read();
    if (compares) simulation.hub.repair(new Map([[USER, simulation.store.position()]]));
    await Promise.resolve();
  }
}

const notificationsOf = (client: FakeClient) => client.received.filter((frame) => "note" in frame);

/** Follows the frames as a client does that checks each place against the one before. */
function readAsClient(client: FakeClient, start: { epoch: unknown; id: number }) {
  let at = start;
  let [gaps, jumps, epochChanges] = [0, 0, 0];
  for (const frame of client.received.slice(1)) {
    if (frame["type"] === "replay_gap") {
      gaps += 1;
      continue;
    }
    const next = { epoch: frame["epoch"], id: Number(frame["replay_id"]) };
    if (at.epoch !== next.epoch) epochChanges += 1;
    else if (at.id + 1 !== next.id) jumps += 1;
    at = next;
  }
  return { at, gaps, jumps, epochChanges };
}

describe("whatever the order of events", () => {
  it.each([
    ["while every message reaches the node", false],
    ["when messages pass the node by", true],
  ])("a socket gets everything after replay_from once, in order (%s)", async (_when, losses) => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        steps({ restarts: false, losses }),
        async (scheduler, plan) => {
          const { simulation, opened } = await run(scheduler, plan, {
            historyLimit: 1_000,
            compares: losses,
          });
          const { id: last } = simulation.store.position();
          for (const { client, from, leftAt } of opened) {
            const ids = notificationsOf(client).map((frame) => Number(frame["replay_id"]));
            const whole = Array.from({ length: last - from }, (_, index) => from + 1 + index);
            expect(ids).toEqual(leftAt.closed ? whole.slice(0, ids.length) : whole);
            expect(client.received.some(({ type }) => type === "replay_gap")).toBe(false);
            if (client.received.length > 0) expect(client.received[0]?.["type"]).toBe("connected");
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("every message for the node is answered exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        steps({ restarts: true, losses: true }),
        async (scheduler, plan) => {
          const { simulation } = await run(scheduler, plan, {
            historyLimit: 5,
            compares: true,
          });
          const notes = simulation.answers.map(({ noteId }) => noteId);
          expect(new Set(notes).size).toBe(notes.length);
          expect(notes.length).toBe(simulation.sentToNode());
        },
      ),
      { numRuns: 200 },
    );
  });

  it("with a short history and restarts, every hole is announced and all end at the last id", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        steps({ restarts: true, losses: true }),
        async (scheduler, plan) => {
          const { simulation, opened } = await run(scheduler, plan, {
            historyLimit: 5,
            compares: true,
          });
          const end = simulation.store.position();
          for (const { client, from, epoch, leftAt } of opened) {
            const seen = readAsClient(client, { epoch: epoch ?? null, id: from });
            expect(seen.jumps).toBeLessThanOrEqual(seen.gaps);
            // A client that named no epoch compares by number, and sees the epochs in the frames.
            if (epoch !== undefined && seen.epochChanges > 0) expect(seen.gaps).toBeGreaterThan(0);
            if (!leftAt.closed && end.id > from) expect(seen.at).toEqual(end);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("a message that arrives while the user's only socket is joining", () => {
  it("waits for it, and is then answered as written", async () => {
    const turns = new Map<string, () => void>();
    const simulation = createSimulation(
      (label) => new Promise((resolve) => void turns.set(label, resolve)),
      100,
    );
    const take = async (label: string): Promise<void> => {
      turns.get(label)?.();
      for (let tick = 0; tick < 10; tick += 1) await Promise.resolve();
    };
    const client = simulation.open({ kind: "after", id: 0, epoch: undefined });
    await take("join reaches Redis");
    simulation.publish({ lost: false, epoch: undefined });
    await take("");
    await take("a message arrives");
    expect(simulation.answers).toEqual([]);
    await take("join returns");
    expect(simulation.answers).toMatchObject([{ result: "written", sockets: 1 }]);
    client.read();
    expect(notificationsOf(client)).toMatchObject([{ replay_id: 1 }]);
  });
});
