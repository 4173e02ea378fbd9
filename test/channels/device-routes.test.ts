/** A person's list of browsers over HTTP, and what becomes of one that its browser renews. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createRenewalTokens } from "../../src/channels/push/renewal-token.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import {
  call,
  clock,
  DAY_MS,
  KEY,
  LIFE,
  problemOf,
  sealing,
  store,
  stored,
  subscribe,
  SUBSCRIPTION,
  USER,
} from "./push-routes-fixture.ts";

describe("the list of devices", () => {
  it("names them without giving away how to send to them", async () => {
    await call("post", "/push/subscribe", SUBSCRIPTION);
    const at = new Date(clock.now()).toISOString();
    const reply = await call("get", "/push/subscriptions");
    expect(reply.body).toEqual({
      subscriptions: [
        {
          id: expect.stringMatching(/^[0-9a-f]{64}$/),
          label: "Firefox on Linux",
          push_service: "fcm.googleapis.com",
          created_at: at,
          last_seen_at: at,
          expires_at: new Date(clock.now() + LIFE.staleMs).toISOString(),
        },
      ],
    });
    expect(JSON.stringify(reply)).not.toContain("fcm/send");
  });

  it("is one's own: nobody sees or removes another's", async () => {
    const id = await subscribe();
    const reply = await call("get", "/push/subscriptions", undefined, { as: "teacher-8" });
    expect(reply.body).toEqual({ subscriptions: [] });
    const remove = call("delete", "/push/subscriptions/:id", undefined, { as: "teacher-8", id });
    expect((await problemOf(remove)).code).toBe("not_found");
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
  });

  it("loses what is removed, which then is not there any more", async () => {
    const id = await subscribe();
    const remove = () => call("delete", "/push/subscriptions/:id", undefined, { id });
    expect(await remove()).toEqual({ status: 204 });
    expect(await stored()).toEqual([]);
    expect((await problemOf(remove())).code).toBe("not_found");
  });

  it("keeps a removed browser off when its page is opened, until it is turned on there", async () => {
    const id = await subscribe();
    await call("delete", "/push/subscriptions/:id", undefined, { id });
    const visit = call("post", "/push/subscribe", { ...SUBSCRIPTION, visit: true });
    expect((await problemOf(visit)).code).toBe("subscription_removed");
    expect(await stored()).toEqual([]);
    await subscribe();
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
    const later = await call("post", "/push/subscribe", { ...SUBSCRIPTION, visit: true });
    expect(later.status).toBe(200);
  });

  it("gets back a lost one when its page is opened", async () => {
    const reply = await call("post", "/push/subscribe", { ...SUBSCRIPTION, visit: true });
    expect(reply.status).toBe(201);
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
  });
});

describe("POST /push/renew", () => {
  const NEXT = { ...SUBSCRIPTION, endpoint: "https://fcm.googleapis.com/fcm/send/next" };

  async function renewalOf(body: unknown = SUBSCRIPTION, as = USER): Promise<string> {
    const reply = await call("post", "/push/subscribe", body, { as });
    return z.object({ renewal: z.string() }).parse(reply.body).renewal;
  }
  const renew = (renewal: string, subscription: unknown = NEXT) =>
    call("post", "/push/renew", { renewal, subscription });

  it("puts the new subscription in the place of the former, name and all", async () => {
    const renewal = await renewalOf({ ...SUBSCRIPTION, device_label: "My laptop" });
    clock.advance(DAY_MS);
    const reply = await renew(renewal);
    expect(reply).toMatchObject({ status: 200, body: { device_label: "My laptop" } });
    expect(await store.list(USER)).toMatchObject([
      { endpoint: NEXT.endpoint, createdAt: clock.now() - DAY_MS, lastSeenAt: clock.now() },
    ]);
  });

  it("can be done again with what it answers, and not with what was used up", async () => {
    const first = await renewalOf();
    const { body } = await renew(first);
    const third = { ...SUBSCRIPTION, endpoint: "https://fcm.googleapis.com/fcm/send/third" };
    expect((await problemOf(renew(first, third))).code).toBe("subscription_removed");
    await renew(z.object({ renewal: z.string() }).parse(body).renewal, third);
    expect(await stored()).toEqual([third.endpoint]);
  });

  it("says the same again to a browser that did not hear the answer", async () => {
    const renewal = await renewalOf();
    const first = await renew(renewal);
    expect(await renew(renewal)).toEqual(first);
    expect(await stored()).toEqual([NEXT.endpoint]);
    // Whoever has that leave cannot read what is sent there from then on.
    const auth = Buffer.alloc(16, 7).toString("base64url");
    const swapped = { ...NEXT, keys: { ...NEXT.keys, auth } };
    expect((await problemOf(renew(renewal, swapped))).code).toBe("subscription_removed");
  });

  it("pushes no other browser out of a full list", async () => {
    const others = Array.from({ length: 9 }, (_, index) => ({
      ...SUBSCRIPTION,
      endpoint: `https://fcm.googleapis.com/fcm/send/other-${index}`,
    }));
    for (const other of others) await call("post", "/push/subscribe", other);
    clock.advance(1_000);
    await renew(await renewalOf());
    expect(await stored()).toHaveLength(10);
    expect(await stored()).toEqual(
      expect.arrayContaining([NEXT.endpoint, ...others.map(({ endpoint }) => endpoint)]),
    );
  });

  it.each([
    ["was removed from the list", (id: string) => store.dismiss(USER, id)],
    ["belongs to another by now", () => store.put("teacher-8", SUBSCRIPTION)],
  ])("is refused when the former one %s", async (_what, end) => {
    const renewal = await renewalOf();
    const [device] = await store.list(USER);
    await end(device?.subscriptionId ?? "");
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    expect(await stored()).toEqual([]);
  });

  it("works for one that its push service no longer knew by then, once", async () => {
    const renewal = await renewalOf({ ...SUBSCRIPTION, device_label: "My laptop" });
    const [device] = await store.list(USER);
    await store.prune(USER, device?.subscriptionId ?? "");
    expect(await stored()).toEqual([]);
    expect((await renew(renewal)).body).toMatchObject({ device_label: "My laptop" });
    expect(await stored()).toEqual([NEXT.endpoint]);
    const third = { ...SUBSCRIPTION, endpoint: "https://fcm.googleapis.com/fcm/send/third" };
    expect((await problemOf(renew(renewal, third))).code).toBe("subscription_removed");
  });

  it("is refused to whoever makes a token up, or has one for something else", async () => {
    const mine = await renewalOf();
    const theirs = await renewalOf(NEXT, "teacher-8");
    const [user, id, signature = ""] = mine.split(".");
    const forged = [
      "",
      "x",
      `${user}.${id}.${"0".repeat(64)}`,
      `${theirs.split(".")[0]}.${id}.${signature}`,
      `${user}.${theirs.split(".")[1]}.${signature}`,
      `${mine}x`,
    ];
    for (const token of forged) {
      expect((await problemOf(renew(token))).code).toBe("unauthenticated");
    }
    expect((await problemOf(renew("x".repeat(600)))).code).toBe("invalid_request");
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
  });

  it("brings nothing back that its person took off the list after its push service lost it", async () => {
    const renewal = await renewalOf();
    const [device] = await store.list(USER);
    await store.prune(USER, device?.subscriptionId ?? "");
    // Its page is opened before the browser knows; so it is in the list again, and is removed there.
    const id = await subscribe();
    await call("delete", "/push/subscriptions/:id", undefined, { id });
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    expect(await stored()).toEqual([]);
  });

  it("brings nothing back that was turned off after its push service lost it", async () => {
    const renewal = await renewalOf();
    const [device] = await store.list(USER);
    await store.prune(USER, device?.subscriptionId ?? "");
    await call("delete", "/push/subscribe", { endpoint: SUBSCRIPTION.endpoint });
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    expect(await stored()).toEqual([]);
  });

  it("keeps a removed browser off under its new subscription, until it is turned on there", async () => {
    const renewal = await renewalOf();
    const [device] = await store.list(USER);
    await store.dismiss(USER, device?.subscriptionId ?? "");
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    const visit = () => call("post", "/push/subscribe", { ...NEXT, visit: true });
    expect((await problemOf(visit())).code).toBe("subscription_removed");
    await call("post", "/push/subscribe", NEXT);
    expect((await visit()).status).toBe(200);
    // An old leave does not undo that.
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    expect(await stored()).toEqual([NEXT.endpoint]);
  });

  it("takes nothing from whoever has signed in there meanwhile", async () => {
    const renewal = await renewalOf();
    await call("post", "/push/subscribe", NEXT, { as: "teacher-8" });
    expect((await problemOf(renew(renewal))).code).toBe("subscription_removed");
    expect(await stored("teacher-8")).toEqual([NEXT.endpoint]);
    // The browser has no longer what it replaced.
    expect(await stored()).toEqual([]);
  });

  it("checks the new subscription like any other", async () => {
    const renewal = await renewalOf();
    const elsewhere = { ...NEXT, endpoint: "https://127.0.0.1/x" };
    expect((await problemOf(renew(renewal, elsewhere))).code).toBe("endpoint_not_allowed");
    const keyless = { endpoint: NEXT.endpoint };
    expect((await problemOf(renew(renewal, keyless))).code).toBe("invalid_subscription");
    expect(await stored()).toEqual([SUBSCRIPTION.endpoint]);
  });

  it("takes a token that was signed before the key was changed", async () => {
    const newKey = Buffer.alloc(32, 2);
    const before = createRenewalTokens({ sealing });
    const after = createRenewalTokens({ sealing: createSealing(newKey, KEY) });
    const renewal = { userId: "a.b@c-d_e", subscriptionId: "0".repeat(64) };
    expect(after.read(before.sign(renewal))).toEqual(renewal);
    expect(createRenewalTokens({ sealing: createSealing(newKey) }).read(before.sign(renewal))).toBe(
      undefined,
    );
    await Promise.resolve();
  });
});
