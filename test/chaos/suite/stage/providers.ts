/** All providers of a run, under a weather that can change, and the record of what they took. */
import { readPayload } from "../../../../src/browser/worker/payload.ts";
import {
  startPushService,
  type Arrival,
  type BrowserSubscription,
} from "../../../support/push-service.ts";
import { startTwilio, type TwilioMessage } from "../../../support/twilio.ts";
import { keyIn } from "../audience/key.ts";
import type { PushTaken, TextTaken } from "../evidence.ts";
import { listReplyIn, replyIn, type Weather } from "./weather.ts";

export interface ProvidersOptions {
  /** Each is an origin of its own. */
  readonly pushServices: number;
  /** A browser gets a push, whatever its sender was told. */
  readonly onPush: (push: { readonly endpoint: string; readonly payload: string }) => void;
}

export interface Providers {
  /** For `PUSH_ALLOWED_HOSTS`. */
  readonly pushOrigins: readonly string[];
  /** For the variables that begin with `TWILIO_`. */
  readonly twilio: {
    readonly url: string;
    readonly accountSid: string;
    readonly authToken: string;
  };
  /** One more browser: at one service after the other, signed for by this key. */
  subscribe(vapidPublicKey: string): BrowserSubscription;
  /** The browser is no more; its endpoint says so from now on. */
  forget(endpoint: string, status: 404 | 410): void;
  /** @param origin one of the services; all of them unless told */
  pushWeather(weather: Weather, origin?: string): void;
  smsWeather(weather: Weather): void;
  /**
   * Every push that arrived in good form, refused ones included, oldest first.
   * @param isReceipted whether the browser's receipt was answered
   */
  pushes(isReceipted: (endpoint: string, notificationId: string) => boolean): PushTaken[];
  /** Every text message that was taken, oldest first. */
  texts(): TextTaken[];
  /** Why requests were refused that no weather explains; a fault of the product. */
  refusals(): readonly string[];
  close(): Promise<void>;
}

export async function startProviders(options: ProvidersOptions): Promise<Providers> {
  const pushed: Omit<PushTaken, "receipted">[] = [];
  const texted: TextTaken[] = [];

  function recordPush({ message, taken, answered }: Arrival): void {
    const { endpoint, payload, status } = message;
    const { notification_id: notificationId, title } = readPayload(payload);
    const push = { at: Date.now(), endpoint, notificationId, key: keyIn(title) };
    // Without an answer until there is one.
    const index = pushed.push({ ...push, status: undefined }) - 1;
    void answered.then((whole) => {
      const entry = pushed[index];
      if (whole && entry !== undefined) pushed[index] = { ...entry, status };
    });
    if (taken) options.onPush({ endpoint, payload });
  }

  function recordText({ to, body }: TwilioMessage, answered: Promise<boolean>): void {
    const index = texted.push({ at: Date.now(), to, key: keyIn(body), answered: false }) - 1;
    void answered.then((whole) => {
      const entry = texted[index];
      if (whole && entry !== undefined) texted[index] = { ...entry, answered: true };
    });
  }

  const services = await Promise.all(
    Array.from({ length: options.pushServices }, async () => {
      return await startPushService({ onArrival: recordPush });
    }),
  );
  const twilio = await startTwilio({ onTaken: recordText });
  let subscriptions = 0;

  return {
    pushOrigins: services.map(({ origin }) => origin),
    twilio,
    subscribe(vapidPublicKey) {
      const service = services[subscriptions % services.length];
      if (service === undefined) throw new Error("there is no push service");
      subscriptions += 1;
      return service.subscribe(vapidPublicKey);
    },
    forget(endpoint, status) {
      for (const service of services) service.script(endpoint, { status });
    },
    pushWeather(weather, origin) {
      for (const service of services) {
        if (origin !== undefined && origin !== service.origin) continue;
        service.scriptAll(() => replyIn(weather, Date.now()));
      }
    },
    smsWeather(weather) {
      twilio.scriptAll(() => replyIn(weather, Date.now()));
      twilio.scriptLists(() => listReplyIn(weather));
    },
    pushes: (isReceipted) =>
      pushed.map((push) => ({
        ...push,
        receipted: isReceipted(push.endpoint, push.notificationId),
      })),
    texts: () => [...texted],
    refusals: () => [
      ...services.flatMap(({ refusals }) => refusals),
      ...twilio.faults.map((code) => `Twilio's error ${code}`),
    ],
    async close() {
      await Promise.all([...services, twilio].map(async (service) => await service.close()));
    },
  };
}
