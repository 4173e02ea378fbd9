/** People without a tab: some have a browser that takes push messages, some only a telephone. */
import type { Random } from "../support/random.ts";
import type { SoakScene } from "./scene.ts";

const SUBSCRIBERS = 60;
const TEXTED = 10;
const FIRST_NUMBER = 46_701_230_000;
const TOKEN_SECONDS = 3_600;

export interface Sheet {
  /** Somebody whom a push message reaches, as a rule. */
  subscriber(): string;
  /** Somebody whom only an SMS reaches. */
  texted(): string;
  /** What makes a request one that may go by SMS, to a number that sometimes is in trouble. */
  critical(): object;
  /** One of the browsers gets an address of its own anew; the old one answers 410 from now on. */
  renewOne(): Promise<void>;
}

export async function invitePeople(scene: SoakScene, random: Random): Promise<Sheet> {
  const subscribers = Array.from({ length: SUBSCRIBERS }, (_, at) => `away-${at + 1}`);
  const endpoints = new Map<string, string>();

  async function subscribe(userId: string): Promise<void> {
    const token = await scene.signer.sign({ userId, scopes: [], ttlSeconds: TOKEN_SECONDS });
    const subscription = scene.push.subscribe(scene.vapidPublicKey);
    const answer = await fetch(`${scene.apiUrl}/push/subscribe`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(subscription),
    });
    await answer.text();
    if (answer.ok) endpoints.set(userId, subscription.endpoint);
  }

  for (const user of subscribers) await subscribe(user);

  return {
    subscriber() {
      const user = random.pick(subscribers);
      const endpoint = endpoints.get(user);
      if (endpoint !== undefined && random.chance(0.03)) {
        const headers = { "retry-after": "1" };
        const replies = [{ status: 429, headers }, { status: 500 }, { reset: true }];
        scene.push.script(endpoint, { ...random.pick(replies), times: 1 });
      }
      return user;
    },
    texted: () => `texted-${Math.floor(random.between(0, TEXTED))}`,
    critical() {
      const number = `+${FIRST_NUMBER + Math.floor(random.between(0, TEXTED))}`;
      if (random.chance(0.1)) {
        const replies = [{ acceptThenReset: true }, { status: 500 }, { cutBody: true }];
        scene.twilio.script(number, { ...random.pick(replies), times: 1 });
      }
      return {
        priority: "critical",
        channels: ["websocket", "push", "sms"],
        phone_number: number,
      };
    },
    async renewOne() {
      const user = random.pick(subscribers);
      const old = endpoints.get(user);
      if (old !== undefined) scene.push.script(old, { status: 410 });
      await subscribe(user);
    },
  };
}
