/** The whole product under a flood of requests without a token: the audit trail stays whole. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Answer, type Product } from "../support/product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const LIMIT = 40;
const FLOOD = 150;

let store: TestRedis;
let product: Product;
beforeAll(async () => {
  store = await openTestRedis();
  product = await startLimited();
});
afterAll(async () => {
  await product.stop();
  await store.close();
});

const startLimited = (): Promise<Product> =>
  startProduct({ RATE_LIMITS: "on", RATE_LIMIT_ANONYMOUS_PER_MINUTE: String(LIMIT) }, store);

async function audit(query: string): Promise<{ body: Record<string, unknown>; rows: Row[] }> {
  const as = await product.token("boss", ["admin"]);
  const { body } = await product.call("GET", `/audit?${query}`, { as });
  return { body, rows: body["entries"] as Row[] }; // the documented shape
}

interface Row {
  readonly action: string;
  readonly address?: string;
  readonly count?: number;
}

it("it is refused with 429, leaves a handful of counted entries, and pushes nothing out", async () => {
  const sent = await product.notify({
    user_id: "flooded",
    template_id: "announcement",
    data: { title: "Hello", body: "there" },
  });
  const answers: Answer[] = [];
  for (let index = 0; index < FLOOD; index += 1) {
    answers.push(await product.call("POST", "/notify", { body: {}, as: "" }));
  }
  const explained = answers.filter(({ status }) => status === 401);
  const held = answers.filter(({ status }) => status === 429);
  // A minute may end in between, and then a few of the next one's pass as well.
  expect(explained.length).toBeGreaterThanOrEqual(LIMIT);
  expect(explained.length).toBeLessThan(2 * LIMIT);
  expect(held).toHaveLength(FLOOD - explained.length);
  expect(held.every(({ headers }) => Number(headers.get("retry-after")) > 0)).toBe(true);

  // What is counted is written when the process stops; another one reads it.
  await product.stop();
  product = await startLimited();
  const { rows: rejected } = await audit("action=rejected");
  expect(rejected.length).toBeLessThanOrEqual(8);
  expect(rejected.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(FLOOD);
  expect(rejected.every(({ address }) => address === "127.0.0.1")).toBe(true);
  const { rows: real } = await audit(`notification_id=${String(sent.body["notification_id"])}`);
  expect(real.map(({ action }) => action)).toEqual(["settled", "accepted"]);

  const { body: first, rows } = await audit("limit=1");
  const { rows: second } = await audit(`limit=1&cursor=${String(first["next"])}`);
  expect([...rows, ...second]).toHaveLength(2);
  expect(second).not.toEqual(rows);
});

it.each(["nonsense", "MC0wLTA"])("a made-up cursor (%s) is refused", async (cursor) => {
  const { body } = await audit(`cursor=${cursor}`);
  expect(body).toMatchObject({ code: "invalid_request", errors: [{ path: "cursor" }] });
});
