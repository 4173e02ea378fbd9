/** Coming back: what was missed arrives, in order and once, or the gap is announced. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { announcementFor, someone } from "./requests.ts";

let store: TestRedis;
let product: Product;
/** A second process on the same data, as behind a load balancer. */
let other: Product;

beforeAll(async () => {
  store = await openTestRedis();
  product = await startProduct({ GATEWAY_ANSWER_MS: "2000" }, store);
  other = await startProduct({ ROLES: "gateway" }, store);
});

afterAll(async () => {
  await other.stop();
  await product.stop();
  await store.close();
});

async function send(userId: string, count: number, from = 1): Promise<void> {
  for (let index = from; index < from + count; index += 1) {
    await product.notify(announcementFor(userId, `number ${index}`));
  }
}

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe("a client that comes back", () => {
  it("gets every missed message, in order, once", async () => {
    const userId = someone();
    const token = await product.token(userId);
    const first = await connect(product.webSocketUrl, { token });
    await first.next("connected");
    await send(userId, 3);
    for (let index = 0; index < 3; index += 1) await first.nextNotification();
    const [last] = first.replayIds().slice(-1);
    await first.close();

    await send(userId, 5, 4);
    const again = await connect(product.webSocketUrl, { token, replayFrom: last ?? "" });
    expect(await again.next("connected")).toMatchObject({ replay: "complete", replay_id: "8" });
    await send(userId, 2, 9);
    for (let index = 0; index < 7; index += 1) await again.nextNotification();
    expect(again.replayIds()).toEqual(ids(4, 10));
    await again.close();
  });

  it("is told of the gap first after 151 missed messages, then gets the last 100", async () => {
    const userId = someone();
    const token = await product.token(userId);
    const items = Array.from({ length: 151 }, (_, index) =>
      announcementFor(userId, `number ${index + 1}`),
    );
    const answer = await product.call("POST", "/notify/bulk", { body: { notifications: items } });
    expect(answer.body).toMatchObject({ accepted: 151, rejected: 0 });
    const results = answer.body["results"] as { notification_id: string }[]; // as documented
    await expect
      .poll(async () => {
        const states = await product.foundation.redis.hget(
          store.keyspace.sharded(store.keyspace.shardOfUser(userId), `meta:${userId}`),
          "last",
        );
        return states;
      })
      .toBe("151");

    const tab = await connect(product.webSocketUrl, { token, replayFrom: "0" });
    expect(await tab.next()).toMatchObject({ type: "connected", replay: "gap" });
    expect(await tab.next()).toMatchObject({
      type: "replay_gap",
      reason: "trimmed",
      oldest_replay_id: "52",
    });
    const titles: unknown[] = [];
    for (let index = 0; index < 100; index += 1) {
      titles.push((await tab.nextNotification())["notification_id"]);
    }
    expect(tab.replayIds()).toEqual(ids(52, 151));
    // The replay ids were given in the order of acceptance.
    expect(titles).toEqual(results.slice(51).map((result) => result.notification_id));
    await tab.close();
  });

  it("without asking is given what never met a socket, and it counts as delivered late", async () => {
    const userId = someone();
    const token = await product.token(userId);
    const stored = await product.notify(announcementFor(userId));
    expect(stored.body["status"]).toBe("stored");
    const tab = await connect(product.webSocketUrl, { token });
    expect((await tab.nextNotification())["notification_id"]).toBe(stored.body["notification_id"]);
    await expect
      .poll(async () => {
        const path = `/notifications/${String(stored.body["notification_id"])}`;
        return (await product.call("GET", path)).body;
      })
      .toMatchObject({ status: "delivered", channels: { websocket: "delivered" } });
    await tab.close();

    // It has met a socket now, so that the next one is not given it again.
    const next = await connect(product.webSocketUrl, { token });
    expect(await next.next("connected")).toMatchObject({ replay: "none" });
    await product.notify(announcementFor(userId, "second"));
    await next.nextNotification();
    expect(next.replayIds()).toEqual(["2"]);
    await next.close();
  });
});

describe("two gateways", () => {
  it("both reach the same user, and every socket is counted", async () => {
    const userId = someone();
    const token = await product.token(userId);
    const here = await connect(product.webSocketUrl, { token });
    const there = await connect(other.webSocketUrl, { token });
    await here.next("connected");
    await there.next("connected");
    const answers = [];
    for (let index = 0; index < 5; index += 1) {
      answers.push(await product.notify(announcementFor(userId, `number ${index}`)));
    }
    for (const tab of [here, there]) {
      for (let index = 0; index < 5; index += 1) await tab.nextNotification();
      expect(tab.replayIds()).toEqual(ids(1, 5));
    }
    expect(answers.map((answer) => answer.body["websocket_connections"])).toEqual([2, 2, 2, 2, 2]);
    await Promise.all([here.close(), there.close()]);
  });

  it("let a client move from one to the other without loss", async () => {
    const userId = someone();
    const token = await product.token(userId);
    const here = await connect(product.webSocketUrl, { token });
    await here.next("connected");
    await send(userId, 4);
    for (let index = 0; index < 4; index += 1) await here.nextNotification();
    await here.close();
    await send(userId, 3, 5);
    const there = await connect(other.webSocketUrl, { token, replayFrom: "4" });
    for (let index = 0; index < 3; index += 1) await there.nextNotification();
    expect(there.replayIds()).toEqual(ids(5, 7));
    await there.close();
  });
});
