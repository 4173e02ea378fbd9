/** A running product with everything around it, and the hand that kills it and starts it again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { NotificationDetail } from "../../src/tracking/view.ts";
import { startChildProduct, type ChildProduct } from "../support/child-product.ts";
import { startKillingProxy, type KillingProxy, type KillPoint } from "../support/killing-proxy.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { startTwilio, type TwilioService } from "../support/twilio.ts";
import { expectToAddUp } from "./accounts.ts";
import { submit, subscribeToPush, tokenOf, type Submitted } from "./api.ts";
import { childEnvironment } from "./environment.ts";
import { createTab, type Tab, type TabOptions } from "./tab.ts";

/** A step towards Redis, or a promise of anything else, after which the process is killed. */
export type Moment = KillPoint | (() => Promise<unknown>);

export interface Scene {
  readonly push: PushService;
  readonly twilio: TwilioService;
  readonly store: TestRedis;
  /** A user nobody has written to yet. */
  newUser(): string;
  openTab(options: Omit<TabOptions, "token">): Promise<Tab>;
  /** Subscribes a browser of the user; returns its endpoint. */
  subscribe(userId: string): Promise<string>;
  /** Requests that this endpoint took. */
  pushesTo(endpoint: string): { readonly topic: string | undefined }[];
  /** Text messages that the provider took for this number. */
  textsTo(phoneNumber: string): number;
  /** The moment a provider has a request in hand and has not answered it. */
  pushInFlight(endpoint: string): Moment;
  textInFlight(phoneNumber: string): Moment;
  /** Hands a notification over; returns its id. */
  send(body: object): Promise<string>;
  /**
   * The same, with the process killed at each of the moments and started again after it. A caller
   * left without an answer asks again under the same key, or with the same event id if it has one.
   */
  sendThroughKills(body: object, ...moments: readonly Moment[]): Promise<string>;
  /** Everything ever sent here has settled once and is counted once; returns it, oldest first. */
  settle(): Promise<NotificationDetail[]>;
  /** What became of one. */
  settled(id: string): Promise<NotificationDetail>;
  /** Stops the product as an operator would; it ends in good order. */
  close(): Promise<void>;
  /** Ends everything, whatever state it is in. */
  abandon(): Promise<void>;
}

interface Running {
  readonly child: ChildProduct;
  readonly proxy: KillingProxy;
  /** Its address, once all tabs are back. */
  readonly url: Promise<string>;
  /** The moment to kill this process; never comes where none was given. */
  readonly reached: Promise<unknown>;
}

/**
 * Where a kill point is not met within this time, the product no longer takes that step. A push that
 * failed four times waits 8 s for its fifth try, and a process on a busy machine 10 s for its start.
 */
const MOMENT_DEADLINE_MS = 50_000;

export async function openScene(): Promise<Scene> {
  const [store, push, twilio, dataDir] = await Promise.all([
    openTestRedis(),
    startPushService(),
    startTwilio(),
    mkdtemp(path.join(tmpdir(), "schoolbell-chaos-")),
  ]);
  const env = childEnvironment({ store, push, twilio, dataDir });
  const tabs: Tab[] = [];
  const sent: string[] = [];

  async function backOn(child: ChildProduct): Promise<string> {
    const url = await child.url;
    await Promise.all(tabs.map((tab) => tab.connect(url.replace("http", "ws"))));
    return url;
  }

  /** A process that recovers can meet its end before it is up: the moment is set before it starts. */
  async function start(next?: Moment): Promise<Running> {
    const proxy = await startKillingProxy(store.url);
    const reached = next === undefined ? Promise.resolve() : meet(next, proxy);
    const child = startChildProduct({ ...env, REDIS_URL: proxy.url });
    const url = backOn(child);
    url.catch(() => {});
    return { child, proxy, url, reached };
  }
  let running = start();

  async function killAndRestart(next?: Moment): Promise<Running> {
    const { child, proxy } = await running;
    // Whoever finds the old process dead waits for the new one from here on.
    running = (async () => {
      await child.kill();
      await proxy.close();
      return await start(next);
    })();
    return await running;
  }

  async function submitUntilAnswered(body: object, key: string): Promise<Submitted> {
    const headers: Record<string, string> = "event_id" in body ? {} : { "idempotency-key": key };
    for (;;) {
      const from = await running;
      const url = await from.url.catch(() => undefined);
      const answer = url === undefined ? undefined : await submit(url, body, headers);
      if (answer !== undefined) return answer;
      if ((await running) === from) throw new Error(`no answer: ${from.child.log()}`);
    }
  }

  async function liveThrough(moments: readonly Moment[], first: Promise<unknown>): Promise<void> {
    let reached = first;
    for (const index of moments.keys()) {
      await withDeadline(reached, `the moment to kill, number ${index + 1}, never came`);
      ({ reached } = await killAndRestart(moments[index + 1]));
    }
  }

  const url = async (): Promise<string> => await (await running).url;
  await url();

  const scene: Scene = {
    push,
    twilio,
    store,
    newUser: () => `person-${randomUUID().slice(0, 8)}`,
    async openTab(options) {
      const tab = createTab({ ...options, token: await tokenOf(options.userId) });
      await tab.connect((await url()).replace("http", "ws"));
      tabs.push(tab);
      return tab;
    },
    async subscribe(userId) {
      const subscription = push.subscribe();
      await subscribeToPush(await url(), userId, subscription);
      return subscription.endpoint;
    },
    pushesTo: (endpoint) =>
      push.received.filter((one) => one.endpoint === endpoint && one.status === 201),
    textsTo: (phoneNumber) => twilio.received.filter(({ to }) => to === phoneNumber).length,
    pushInFlight(endpoint) {
      push.script(endpoint, { hang: true, times: 1 });
      return () =>
        nextOf(
          () => push.next(),
          (one) => one.endpoint === endpoint,
        );
    },
    textInFlight(phoneNumber) {
      twilio.script(phoneNumber, { hang: true, times: 1 });
      return () =>
        nextOf(
          () => twilio.next(),
          ({ to }) => to === phoneNumber,
        );
    },
    async send(body) {
      const { id } = await submitUntilAnswered(body, randomUUID());
      sent.push(id);
      return id;
    },
    async sendThroughKills(body, ...moments) {
      const key = randomUUID();
      const [first] = moments;
      if (first === undefined) return await scene.send(body);
      const reached = meet(first, (await running).proxy);
      const [answer] = await Promise.all([
        submitUntilAnswered(body, key),
        liveThrough(moments, reached),
      ]);
      sent.push(answer.id);
      // Whoever asks once more gets the same notification, not another one.
      expect(await submitUntilAnswered(body, key)).toEqual({ id: answer.id, replayed: true });
      return answer.id;
    },
    async settle() {
      return await expectToAddUp(await url(), sent);
    },
    async settled(id) {
      const note = (await scene.settle()).find((each) => each.notification_id === id);
      if (note === undefined) throw new Error(`${id} was never sent here`);
      return note;
    },
    async close() {
      await url();
      const { child } = await running;
      const code = await child.stop();
      await scene.abandon();
      expect(code, child.log()).toBe(0);
    },
    async abandon() {
      const { child, proxy } = await running;
      await child.kill();
      await Promise.all([proxy.close(), push.close(), twilio.close(), store.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return scene;
}

function meet(moment: Moment, proxy: KillingProxy): Promise<unknown> {
  return typeof moment === "function" ? moment() : proxy.reach(moment);
}

/** The next arrival that is meant; those of earlier tests are passed over. */
async function nextOf<T>(next: () => Promise<T>, isMeant: (item: T) => boolean): Promise<void> {
  for (;;) if (isMeant(await next())) return;
}

async function withDeadline(promise: Promise<unknown>, what: string): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(what)), MOMENT_DEADLINE_MS);
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
