/** What two things that happen to a person's browsers at once leave behind. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSubscriptionStore } from "../../src/channels/push/subscriptions.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const KEYS = { p256dh: "public-key-of-a-browser", auth: "secret-of-a-browser" };
const DAY_MS = 86_400_000;
/** Who comes first differs from one to the next. */
const ROUNDS = 25;

let test: TestRedis;
let now = 1_000;
let store: ReturnType<typeof createSubscriptionStore>;

const browser = (name: string) => ({ endpoint: `https://push.example.org/${name}`, keys: KEYS });

async function endpointsOf(userId: string): Promise<string[]> {
  return (await store.list(userId)).map(({ endpoint }) => endpoint.split("/").at(-1) ?? "");
}

async function roundTrips(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await test.redis.ping();
}

beforeAll(async () => {
  test = await openTestRedis();
  store = createSubscriptionStore({
    redis: test.redis,
    keyspace: test.keyspace,
    sealing: createSealing(Buffer.alloc(32, 1)),
    clock: { now: () => now },
    life: { staleMs: 60 * DAY_MS, warningMs: 14 * DAY_MS },
  });
});
afterAll(async () => {
  await test.close();
});

it("a browser that is seen again while another needs its room keeps it", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const user = `crowded-${round}`;
    for (let index = 0; index < 10; index += 1) {
      now += 1;
      await store.put(user, browser(`${user}-${index}`));
    }
    now += 1;
    // The first one is the next to go. It comes now in the middle of one step, now of another.
    const seenAgain = roundTrips(round % 8).then(() => store.put(user, browser(`${user}-0`)));
    await Promise.all([store.put(user, browser(`${user}-new`)), seenAgain]);
    expect(await endpointsOf(user)).toEqual(expect.arrayContaining([`${user}-new`, `${user}-0`]));
  }
});

it("a browser that is taken off the list while its page is opened stays off", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const user = `visited-${round}`;
    const { subscriptionId } = await store.put(user, browser(user));
    await Promise.all([store.revisit(user, browser(user)), store.dismiss(user, subscriptionId)]);
    expect(await endpointsOf(user)).toEqual([]);
  }
});

it("a browser that is taken off the list while it is renewed stays off", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const user = `renewed-${round}`;
    const { subscriptionId } = await store.put(user, browser(`${user}-former`));
    const [isOff] = await Promise.all([
      store.dismiss(user, subscriptionId),
      store.renew(user, subscriptionId, browser(`${user}-next`)),
    ]);
    // If it came too late for the former one, the person sees the next one in the list.
    expect(await endpointsOf(user)).toEqual(isOff ? [] : [`${user}-next`]);
  }
});
