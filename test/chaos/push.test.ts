/** The process dies while it sends a push: the person gets it, at worst twice under one topic. */
import { describe, expect, it } from "vitest";
import { becomes, BEFORE_AND_AFTER, publication, queued, taken } from "./kill-points.ts";
import { announcement } from "./requests.ts";
import { useScene } from "./use-scene.ts";

const scene = useScene();

/** Several pushes of one notification replace one another on the person's screen. */
function expectOneOnScreen(endpoint: string, requests: number): void {
  const pushes = scene().pushesTo(endpoint);
  expect(pushes.length).toBe(requests);
  expect(new Set(pushes.map(({ topic }) => topic)).size).toBe(1);
}

describe.each(BEFORE_AND_AFTER)("killed just %s", (when) => {
  it.each([
    ["a note whose user is offline moves on", publication],
    ["it is queued for push", queued("push-normal")],
    ["its envelope is taken", taken("push-normal")],
    ["it is claimed", becomes("push", "sending")],
  ] as const)("%s, one push is sent", async (_step, point) => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);

    const id = await scene().sendThroughKills(announcement(user), point(when));

    expect((await scene().settled(id)).channels.push).toBe("delivered");
    expectOneOnScreen(endpoint, 1);
  });

  it("a retry is noted, the push is tried again", async () => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);
    scene().push.script(endpoint, { status: 503, times: 1 });

    const retry = becomes("push", "pending")(when);
    const id = await scene().sendThroughKills(announcement(user), retry);

    expect((await scene().settled(id)).channels.push).toBe("delivered");
    expectOneOnScreen(endpoint, 1);
  });
});

it("killed while the push service has the request, it is sent again under the same topic", async () => {
  const user = scene().newUser();
  const endpoint = await scene().subscribe(user);

  const id = await scene().sendThroughKills(announcement(user), scene().pushInFlight(endpoint));

  expect((await scene().settled(id)).channels.push).toBe("delivered");
  // The first was never answered.
  expectOneOnScreen(endpoint, 1);
});

it.each([
  ["before", 2],
  ["after", 1],
] as const)("killed just %s it is settled, %i went out", async (when, requests) => {
  const user = scene().newUser();
  const endpoint = await scene().subscribe(user);

  const settles = becomes("push", "delivered")(when);
  const id = await scene().sendThroughKills(announcement(user), settles);

  expect((await scene().settled(id)).channels.push).toBe("delivered");
  expectOneOnScreen(endpoint, requests);
});

it("whatever was killed, each notification was settled and counted once", async () => {
  await scene().settle();
});
