/** The product with a push service and a Twilio of the tests' own, and short waits. */
import { expect } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import type { Corner } from "../support/redis.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { startTwilio, type TwilioService } from "../support/twilio.ts";
import { connect, type TestClient } from "../support/websocket-client.ts";

/** A number that can exist. */
export const PHONE = "+46701234567";

export interface ProductWithProviders {
  readonly product: Product;
  readonly pushService: PushService;
  readonly twilio: TwilioService;
  /** A browser tab of this user, ready for messages. */
  openTab(userId: string, options?: { ack?: boolean }): Promise<TestClient>;
  /** A browser of this user that takes push messages. */
  subscribe(userId: string): Promise<ReturnType<PushService["subscribe"]>>;
  stop(): Promise<void>;
}

/** `store` where it is not to be the run's own Redis. */
export async function startProductWithProviders(
  env: Readonly<Record<string, string>> = {},
  store?: Corner,
): Promise<ProductWithProviders> {
  const pushService = await startPushService();
  const twilio = await startTwilio();
  const settings = {
    PUSH_ALLOWED_HOSTS: pushService.origin,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_FROM_NUMBER: "+15005550006",
    TWILIO_API_URL: twilio.url,
    GATEWAY_ANSWER_MS: "1000",
    ACK_WAIT_MS: "300",
    DUE_POLL_MS: "25",
    CRITICAL_PUSH_BUDGET_MS: "1200",
    PROVIDER_TIMEOUT_MS: "2000",
    ...env,
  };
  const product = await startProduct(settings, store);
  return {
    product,
    pushService,
    twilio,
    async openTab(userId, options = {}) {
      const token = await product.token(userId);
      const tab = await connect(product.webSocketUrl, { token, ...options });
      await tab.next("connected");
      return tab;
    },
    async subscribe(userId) {
      const subscription = pushService.subscribe(product.vapidPublicKey);
      const as = await product.token(userId, []);
      const answer = await product.call("POST", "/push/subscribe", { body: subscription, as });
      expect(answer.status).toBe(201);
      return subscription;
    },
    async stop() {
      await product.stop();
      await pushService.close();
      await twilio.close();
    },
  };
}
