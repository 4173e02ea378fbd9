/** The whole product, a push service and a Firefox, and what a person there does again and again. */
import type { Page } from "puppeteer-core";
import { z } from "zod";
import { startAutopush, type Autopush } from "../support/autopush.ts";
import { startProduct, type Product } from "../support/product.ts";
import { openTestRedis } from "../support/redis.ts";
import { openFirefox, type Firefox } from "./firefox.ts";

export interface ShownNotification {
  readonly title: string;
  readonly body: string;
  readonly dir: string;
  readonly lang: string;
  readonly tag: string;
}

export interface FirefoxStage {
  readonly autopush: Autopush;
  readonly firefox: Firefox;
  /** The one that runs now. */
  readonly product: Product;
  /** Stops the product and starts it anew on the same port and data. */
  restartProduct(env: Readonly<Record<string, string>>): Promise<void>;
  /** Opens the page in a new tab and signs in by name. */
  visit(person: string): Promise<Page>;
  /** The same; where browser notifications are off, clicks them on. */
  subscribe(person: string): Promise<Page>;
  /** `POST /notify` of an announcement, on all channels unless told. @returns the notification's id. */
  announce(person: string, title: string, more?: object): Promise<string>;
  /** `channel_details.push` of a notification. */
  pushState(notificationId: string): Promise<unknown>;
  /** How long subscribing took in the browser each time, ms. */
  readonly subscribeMs: readonly number[];
  close(): Promise<void>;
}

/** What `registration.getNotifications()` lists, asked for in a page of ours. */
export async function shownBy(page: Page): Promise<ShownNotification[]> {
  const list = await page.evaluate(`navigator.serviceWorker.ready
    .then((registration) => registration.getNotifications())
    .then((all) => all.map(({ title, body, dir, lang, tag }) => ({ title, body, dir, lang, tag })))`);
  return shownSchema.parse(list);
}

const shownSchema = z.array(
  z.object({
    title: z.string(),
    body: z.string(),
    dir: z.string(),
    lang: z.string(),
    tag: z.string(),
  }),
);

/** Runs in the page before its own script: notes how long the browser takes to subscribe. */
const TIME_SUBSCRIBING = `(() => {
  // An empty page has none.
  const { subscribe } = globalThis.PushManager?.prototype ?? {};
  if (subscribe === undefined) return;
  PushManager.prototype.subscribe = async function (...options) {
    const startedAt = performance.now();
    const subscription = await subscribe.apply(this, options);
    globalThis.subscribeMs = performance.now() - startedAt;
    return subscription;
  };
})()`;

/** @param env of the product, beside what makes it send to this push service. */
export async function openFirefoxStage(
  env: Readonly<Record<string, string>> = {},
): Promise<FirefoxStage> {
  const autopush = await startAutopush();
  const firefox = await openFirefox(autopush.serverUrl);
  const settings = { PUSH_ALLOWED_HOSTS: autopush.origin, ...env };
  const store = await openTestRedis();
  let product = await startProduct(settings, store);
  const subscribeMs: number[] = [];

  async function visit(person: string): Promise<Page> {
    const page = await firefox.open("about:blank");
    await page.evaluateOnNewDocument(TIME_SUBSCRIBING);
    await page.goto(product.url);
    await page.locator("#user-id").fill(person);
    await page.locator("#name-form button").click();
    await page.waitForSelector("#connection[data-state=open]");
    // The panel has asked the browser by then whether it has a subscription already.
    await page.waitForSelector("#push-text[data-state]");
    await page.waitForSelector("#push-toggle:enabled");
    return page;
  }

  return {
    autopush,
    firefox,
    get product() {
      return product;
    },
    subscribeMs,
    visit,
    async restartProduct(changes) {
      const { port } = new URL(product.url);
      await product.stop();
      product = await startProduct({ ...settings, ...changes, PORT: port }, store);
    },
    async subscribe(person) {
      const page = await visit(person);
      const isOn = await page.$("#push-text[data-state=on]");
      if (isOn !== null) return page;
      await page.locator("#push-toggle").click();
      await page.waitForSelector("#push-text[data-state=on]");
      subscribeMs.push(z.number().parse(await page.evaluate("globalThis.subscribeMs")));
      return page;
    },
    async announce(person, title, more = {}) {
      const { body } = await product.call("POST", "/notify", {
        body: {
          user_id: person,
          template_id: "announcement",
          data: { title, body: "For those who are signed in." },
          ...more,
        },
      });
      return z.string().parse(body["notification_id"]);
    },
    async pushState(notificationId) {
      const { body } = await product.call("GET", `/notifications/${notificationId}`);
      return Object(body["channel_details"]).push;
    },
    async close() {
      await firefox.close();
      await product.stop();
      await store.close();
      await autopush.close();
    },
  };
}
