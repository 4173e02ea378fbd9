/** The process dies while it brings a message to an open tab: the tab comes back and misses nothing. */
import { describe, expect, it } from "vitest";
import {
  becomes,
  BEFORE_AND_AFTER,
  gatewayAnswer,
  publication,
  pushed,
  queued,
  receipt,
  shiftEnded,
  takenByShift,
} from "./kill-points.ts";
import { announcement, emergency } from "./requests.ts";
import type { Moment } from "./scene.ts";
import { useScene } from "./use-scene.ts";

const scene = useScene();

/** Until the last shift has ended: only then does the next message need another one. */
async function untilNobodyIsAwake(): Promise<void> {
  const { redis, prefix } = scene().store;
  await expect.poll(async () => await redis.keys(`${prefix}*:awake`)).toEqual([]);
}

/** One message before, one through the kills, one after: all are shown, in order, and settle. */
async function expectNothingMissed(...moments: readonly Moment[]): Promise<void> {
  const user = scene().newUser();
  await scene().subscribe(user);
  const tab = await scene().openTab({ userId: user });
  const first = await scene().send(announcement(user));
  await tab.shown(first);
  await scene().settle();
  await untilNobodyIsAwake();

  const second = await scene().sendThroughKills(announcement(user), ...moments);
  await tab.shown(second);
  const third = await scene().send(announcement(user));
  await tab.shown(third);

  expect(tab.notificationIds()).toEqual([first, second, third]);
  tab.expectInOrder();
  // Where the answer of the tab's gateway was lost, the push tells the person again.
  expect((await scene().settled(second)).status).toBe("delivered");
  await tab.close();
}

describe.each(BEFORE_AND_AFTER)("killed just %s", (when) => {
  it.each([
    ["the note is put on its list", pushed("normal")],
    ["a shift is added for it", queued("websocket-normal")],
    ["the shift takes it", takenByShift("normal")],
    ["the frame is published", publication],
    ["the answer is written down", becomes("websocket", "delivered")],
    ["the shift ends", shiftEnded("normal")],
  ] as const)("%s, the tab is shown everything in order", async (_step, point) => {
    await expectNothingMissed(point(when));
  });

  it.each([
    ["an unacknowledged note is handed over to push", becomes("stage", "push")],
    ["it is queued for push", queued("push-urgent")],
  ] as const)("%s, the person gets one push", async (_step, point) => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);
    const tab = await scene().openTab({ userId: user, acks: "mute" });

    const id = await scene().sendThroughKills(emergency(user), point(when));

    const { channels, channel_details: details } = await scene().settled(id);
    expect(channels).toMatchObject({ push: "delivered", sms: "skipped" });
    expect(details.sms.reason).toBe("not_needed");
    expect(scene().pushesTo(endpoint).length).toBe(1);
    tab.expectInOrder();
    await tab.close();
  });

  it("an acknowledgement is recorded, the note is confirmed once", async () => {
    const user = scene().newUser();
    const tab = await scene().openTab({ userId: user, acks: "acknowledges" });

    const id = await scene().sendThroughKills(emergency(user), receipt(when));

    const { channels } = await scene().settled(id);
    expect(channels.websocket).toBe("delivered");
    // The tab that came back says so once more; receipts are written a moment after they came.
    const confirmedAt = async () =>
      (await scene().settled(id)).channel_details.websocket.confirmed_at;
    await expect.poll(confirmedAt).toBeDefined();
    tab.expectInOrder();
    await tab.close();
  });
});

it("killed when the frame is written but the worker does not know, it is shown and settles", async () => {
  await expectNothingMissed(gatewayAnswer("before"));
});

it("killed three times in a row at the same step, it is shown and settles", async () => {
  await expectNothingMissed(publication("before"), publication("before"), publication("before"));
});

it("whatever was killed, each notification was settled and counted once", async () => {
  await scene().settle();
});
