/** A push that was shown is said to be, however often the API has to be asked. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../../../support/product.ts";
import { startPushService, type PushService } from "../../../support/push-service.ts";
import { openDevices } from "./devices.ts";

let push: PushService;
let product: Product;

beforeAll(async () => {
  push = await startPushService();
  product = await startProduct({ PUSH_ALLOWED_HOSTS: push.origin });
});
afterAll(async () => {
  await product.stop();
  await push.close();
});

async function pushTo(userId: string) {
  const as = await product.token(userId, []);
  await product.call("POST", "/push/subscribe", { as, body: push.subscribe() });
  const { body } = await product.notify({
    user_id: userId,
    template_id: "announcement",
    data: { title: "Snow day", body: "School is closed." },
  });
  return { id: String(body["notification_id"]), message: await push.next() };
}

it("repeats its receipt until it is heard, and then the notification is confirmed", async () => {
  let tries = 0;
  const devices = openDevices({
    address() {
      tries += 1;
      return tries === 1 ? "http://127.0.0.1:1" : product.url;
    },
    tells: () => true,
  });
  const { id, message } = await pushTo("away-1");
  devices.take(message);
  devices.take(message);
  await expect.poll(() => devices.underWay()).toBe(0);
  expect(devices.isReceipted(message.endpoint, id)).toBe(true);
  expect(tries).toBe(2);
  await expect
    .poll(async () => {
      const sender = await product.token("a-service", ["admin"]);
      return (await product.call("GET", `/notifications/${id}`, { as: sender })).body;
    })
    .toMatchObject({ channel_details: { push: { confirmed_at: expect.any(String) } } });
});

it("says nothing for a browser that never does", async () => {
  const devices = openDevices({ address: () => product.url, tells: () => false });
  const { id, message } = await pushTo("away-2");
  devices.take(message);
  expect([devices.underWay(), devices.isReceipted(message.endpoint, id)]).toEqual([0, false]);
});
