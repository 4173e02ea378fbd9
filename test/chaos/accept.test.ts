/** The process dies while it takes a notification in: the caller asks again, and one is sent. */
import { describe, expect, it } from "vitest";
import {
  acceptance,
  BEFORE_AND_AFTER,
  eventClaim,
  idempotencyClaim,
  lease,
  pushed,
} from "./kill-points.ts";
import { announcement } from "./requests.ts";
import { useScene } from "./use-scene.ts";

const scene = useScene();

describe.each(BEFORE_AND_AFTER)("killed just %s", (when) => {
  it.each([
    ["the idempotency key is claimed", idempotencyClaim],
    ["the note is created", acceptance],
    ["the note is queued", pushed("normal")],
  ] as const)("%s, the person gets one push", async (_step, point) => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);

    const id = await scene().sendThroughKills(announcement(user), point(when));

    expect((await scene().settled(id)).channels.push).toBe("delivered");
    expect(scene().pushesTo(endpoint).length).toBe(1);
  });

  it("the event id is claimed, the person gets one push", async () => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);
    const body = announcement(user, { event_id: `event-of-${user}` });

    const id = await scene().sendThroughKills(body, eventClaim(when));

    expect((await scene().settled(id)).channels.push).toBe("delivered");
    expect(scene().pushesTo(endpoint).length).toBe(1);
  });

  it("a scheduled note's time is up, it is sent once and not before", async () => {
    const user = scene().newUser();
    const endpoint = await scene().subscribe(user);
    const sendAt = Date.now() + 1_000;
    const body = announcement(user, { send_at: new Date(sendAt).toISOString() });
    const shard = scene().store.keyspace.shardOfUser(user);

    const id = await scene().sendThroughKills(body, lease(shard, sendAt)(when));

    const note = await scene().settled(id);
    expect(note.channels.push).toBe("delivered");
    expect(scene().pushesTo(endpoint).length).toBe(1);
    expect(Date.parse(note.channel_details.push.at)).toBeGreaterThanOrEqual(sendAt);
  });
});

it("whatever was killed, each notification was settled and counted once", async () => {
  await scene().settle();
});
