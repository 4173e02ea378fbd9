/** Pages live through what browsers live through, and their logs say what they saw. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createHistory } from "../../../../src/tracking/history.ts";
import { startProduct, type Product } from "../../../support/product.ts";
import { openAudience, type Audience, type Reader } from "./audience.ts";
import type { HistoryPlace } from "./standing.ts";

let product: Product;
let audience: Audience;
let user = 0;

beforeAll(async () => {
  product = await startProduct();
});
afterEach(() => audience.close());
afterAll(async () => await product.stop());

function openPages(reader: Partial<Reader> = {}): string {
  user += 1;
  const userId = `reader-${user}`;
  audience = openAudience({
    addressOf: () => product.url,
    token: async (id) => await product.token(id, []),
    people: [{ userId, tabs: 1, acks: true, ...reader }],
    now: Date.now,
  });
  return userId;
}

async function send(userId: string, key: string): Promise<string> {
  const { body } = await product.notify({
    user_id: userId,
    template_id: "announcement",
    correlation_id: key,
    data: { title: `${key} snow day`, body: "School is closed." },
  });
  return String(body["notification_id"]);
}

/** Where the user's history stands now. */
async function standsAt(userId: string): Promise<ReadonlyMap<string, HistoryPlace>> {
  const { redis, keyspace, clock } = product.foundation;
  const history = createHistory({ redis, keyspace, clock, size: 100 });
  const [position] = await history.positions([userId]);
  return new Map([[userId, { epoch: position?.epoch ?? "", replayId: position?.id ?? 0 }]]);
}

const events = (tab = 0) => audience.tabs()[tab]?.events ?? [];
const kinds = (tab = 0) => events(tab).map(({ kind }) => kind);
const shown = () =>
  events().flatMap((event) => (event.kind === "shown" ? [event.notificationId] : []));

it("each page of a person shows a message and says what it acknowledged", async () => {
  const userId = openPages({ tabs: 2 });
  await audience.allConnected();
  const id = await send(userId, "k-1a-1");
  await audience.quietAt(await standsAt(userId));
  expect([kinds(0), kinds(1)]).toEqual([
    ["open", "frame", "shown", "acked"],
    ["open", "frame", "shown", "acked"],
  ]);
  const frame = audience.tabs()[0]?.events[1];
  expect(frame).toMatchObject({ notificationId: id, key: "k-1a-1", replayId: 1 });
  expect(audience.behind(await standsAt(userId))).toEqual([]);
});

it("a page whose network vanishes comes back and has missed nothing", async () => {
  const userId = openPages();
  await audience.allConnected();
  const first = await send(userId, "k-1a-2");
  await audience.quietAt(await standsAt(userId));
  audience.vanish(1);
  expect(audience.connected()).toEqual({ pages: 0, of: 1 });
  const second = await send(userId, "k-1a-3");
  expect(audience.behind(await standsAt(userId))).toEqual([`${userId}/1`]);
  await audience.allConnected({ hurry: true });
  await audience.quietAt(await standsAt(userId));
  expect(shown()).toEqual([first, second]);
  const back = audience.tabs()[0]?.events.findLast(({ kind }) => kind === "open");
  expect(back).toMatchObject({ visit: 0, from: { replayId: 1, epoch: expect.any(String) } });
});

it("a page that is opened again shows anew what it has, as another visit", async () => {
  const userId = openPages({ acks: false });
  await audience.allConnected();
  const id = await send(userId, "k-1a-4");
  await audience.quietAt(await standsAt(userId));
  audience.reopen(1, 1);
  await audience.allConnected();
  await audience.quietAt(await standsAt(userId));
  expect(shown()).toEqual([id, id]);
  const back = audience.tabs()[0]?.events.findLast(({ kind }) => kind === "open");
  expect(back).toMatchObject({ visit: 1, from: { replayId: 0 } });
});

it("a page that reads nothing for a while reads it afterwards", async () => {
  const userId = openPages();
  await audience.allConnected();
  const unread = audience.stopReading(1, 300);
  const id = await send(userId, "k-1a-5");
  expect(shown()).toEqual([]);
  await unread;
  await audience.quietAt(await standsAt(userId));
  expect(shown()).toEqual([id]);
});

it("goes on to the next gateway where one cannot be reached", async () => {
  let asked = 0;
  audience = openAudience({
    addressOf() {
      asked += 1;
      if (asked === 1) throw new Error("no gateway runs");
      return asked === 2 ? "ws://127.0.0.1:1" : product.webSocketUrl;
    },
    token: async (id) => await product.token(id, []),
    people: [{ userId: "traveller", tabs: 1, acks: true }],
    now: Date.now,
  });
  await audience.allConnected({ hurry: true });
  expect(kinds()).toEqual(["closed", "closed", "open"]);
});
