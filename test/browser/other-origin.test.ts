/** An application under another name than the service takes its service worker in, as docs/PUSH.md says. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openBrowser, type Browser } from "./chromium.ts";
import { reachServiceWorker } from "./service-worker.ts";
import { change, keep } from "./subscription-change.ts";
import { post, sendTo, tokenFor } from "./visitor.ts";

/** Only a hang takes as long. */
const MAX_WAIT_MS = 15_000;
const PERSON = "elsewhere";

let application: Server;
let origin: string;
let pushService: PushService;
let product: Product;
let browser: Browser;

beforeAll(async () => {
  application = createServer((request, response) => {
    const isWorker = request.url?.startsWith("/sw.js") === true;
    response.setHeader("content-type", isWorker ? "text/javascript" : "text/html");
    const script = `importScripts(${JSON.stringify(`${product.url}/sw.js`)});`;
    response.end(isWorker ? script : "<!doctype html><title>School</title>");
  });
  await new Promise<void>((resolve) => void application.listen(0, "127.0.0.1", resolve));
  // It listens on a port, so it has such an address.
  origin = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
  pushService = await startPushService();
  product = await startProduct({
    PUSH_ALLOWED_HOSTS: pushService.origin,
    CORS_ORIGINS: origin,
  });
  browser = await openBrowser({ origin });
});
afterAll(async () => {
  await browser.close();
  await product.stop();
  await pushService.close();
  application.closeAllConnections();
  await new Promise<void>((resolve) => void application.close(() => resolve()));
});

async function openApplication(): Promise<Page> {
  const page = await browser.open(`${origin}/`);
  const script = `/sw.js?service=${encodeURIComponent(product.url)}`;
  await page.evaluate(`navigator.serviceWorker.register(${JSON.stringify(script)}, { scope: "/" })
    .then(() => navigator.serviceWorker.ready).then(() => undefined)`);
  return page;
}

it("shows what is pushed there, and its receipts reach the service", async () => {
  const page = await openApplication();
  const worker = await reachServiceWorker(browser.context, page);
  const token = await tokenFor(product.url, PERSON);
  const subscription = pushService.subscribe(product.vapidPublicKey);
  await post(`${product.url}/push/subscribe`, subscription, token);

  const id = await sendTo(product.url, PERSON, { title: "Elsewhere", body: "For your eyes" });
  const { payload } = await pushService.next();
  await worker.push(payload);

  const headers = { authorization: `Bearer ${token}` };
  const pushState = async () => {
    const answer = await fetch(`${product.url}/notifications/${id}`, { headers });
    return Object(await answer.json()).channel_details.push;
  };
  await expect
    .poll(pushState, { timeout: MAX_WAIT_MS })
    .toMatchObject({ confirmed_at: expect.any(String) });
  expect(await worker.shown()).toMatchObject([{ icon: `${origin}/icon.png` }]);
  expect(browser.errors).toEqual([]);
});

it("hands in at the service what the browser puts in the place of its subscription", async () => {
  const page = await openApplication();
  const [worker = await browser.context.waitForEvent("serviceworker")] =
    browser.context.serviceWorkers();
  const token = await tokenFor(product.url, "elsewhere-renewing");
  const former = pushService.subscribe(product.vapidPublicKey);
  const stored = await post(`${product.url}/push/subscribe`, former, token);
  await page.evaluate(keep(String(stored["renewal"])));

  const next = pushService.subscribe(product.vapidPublicKey);
  await worker.evaluate(change(next));
  await sendTo(product.url, "elsewhere-renewing", { title: "T", body: "B" });
  expect((await pushService.next()).endpoint).toBe(next.endpoint);
});
