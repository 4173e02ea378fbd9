/** A notification that no process survives is put aside in the end, and its neighbours are delivered. */
import { describe, expect, it } from "vitest";
import { publicationTo } from "./kill-points.ts";
import { announcement } from "./requests.ts";
import type { Moment, Scene } from "./scene.ts";
import { useScene } from "./use-scene.ts";

const scene = useScene();

/** Two with whatever they wait with, three alone. */
const DEATHS = 5;
const TIMEOUT_MS = 300_000;

/** Sends the poison with neighbours at its heels, and lets the process die over it five times. */
async function dieOver(poisoned: string, moment: () => Moment, neighbours: readonly string[]) {
  const dying = scene().sendThroughKills(
    announcement(poisoned),
    ...Array.from({ length: DEATHS }, moment),
  );
  const ids = await Promise.all(neighbours.map((user) => scene().send(announcement(user))));
  return { poison: await dying, ids };
}

async function expectPutAside(id: string, open: readonly ("websocket" | "push")[]): Promise<void> {
  const note = await scene().settled(id);
  expect(note.status).toBe("failed");
  for (const channel of open) {
    expect(note.channels[channel]).toBe("failed");
    expect(note.channel_details[channel].reason).toBe("poison");
  }
}

const newUsers = (count: number, from: Scene): string[] =>
  Array.from({ length: count }, () => from.newUser());

describe("a process that dies each time", { timeout: TIMEOUT_MS }, () => {
  it("it publishes a message puts that message aside, and delivers its neighbours", async () => {
    const [poisoned = "", ...neighbours] = newUsers(5, scene());
    for (const user of neighbours) await scene().subscribe(user);
    const moment = () => publicationTo(poisoned)("before");

    const { poison, ids } = await dieOver(poisoned, moment, neighbours);

    await expectPutAside(poison, ["websocket", "push"]);
    for (const id of ids) expect((await scene().settled(id)).status).toBe("delivered");
  });

  it("it has a push in hand puts that push aside, and delivers its neighbours", async () => {
    const [poisoned = "", ...neighbours] = newUsers(5, scene());
    const endpoint = await scene().subscribe(poisoned);
    for (const user of neighbours) await scene().subscribe(user);
    scene().push.script(endpoint, { hang: true });
    const moment = () => async () => {
      while ((await scene().push.next()).endpoint !== endpoint);
    };

    const { poison, ids } = await dieOver(poisoned, moment, neighbours);

    await expectPutAside(poison, ["push"]);
    expect(scene().pushesTo(endpoint)).toEqual([]);
    for (const id of ids) expect((await scene().settled(id)).status).toBe("delivered");
  });
});

it("whatever was killed, each notification was settled and counted once", async () => {
  await scene().settle();
});
