/**
 * Reserved recipients `test-<word>@sandbox`: each meets a known fate without any provider, so that
 * whoever integrates can see every outcome.
 *
 * | word | websocket | push | sms | what comes of it |
 * |---|---|---|---|---|
 * | `delivered` | delivered | delivered | delivered | delivered at the first channel asked |
 * | `push` | offline | delivered | delivered | delivered by push |
 * | `sms` | offline | no subscription | delivered | delivered by SMS where SMS is allowed |
 * | `gone` | offline | gone | delivered | push fails as gone, SMS takes over |
 * | `rejected` | offline | rejected | rejected | failed at once |
 * | `failed` | offline | retry | retry | failed after the last try |
 * | `unknown` | offline | no subscription | unknown | may have been sent; not sent again |
 * | `stored` | offline | no subscription | no phone | nobody reached, nothing erred |
 */
import type { Outcome } from "../channel.ts";

export interface SandboxScript {
  readonly websocket: "delivered" | "offline";
  readonly push: Outcome | "no_subscription";
  readonly sms: Outcome | "no_phone";
}

const RECIPIENT_PATTERN = /^test-([a-z]+)@sandbox$/;

const DELIVERED: Outcome = { kind: "delivered", providerId: "sandbox" };
const REJECTED: Outcome = { kind: "rejected", detail: "sandbox" };
const RETRY: Outcome = { kind: "retry", detail: "sandbox" };

const SCRIPTS: ReadonlyMap<string, SandboxScript> = new Map<string, SandboxScript>([
  ["delivered", { websocket: "delivered", push: DELIVERED, sms: DELIVERED }],
  ["push", { websocket: "offline", push: DELIVERED, sms: DELIVERED }],
  ["sms", { websocket: "offline", push: "no_subscription", sms: DELIVERED }],
  ["gone", { websocket: "offline", push: { kind: "gone" }, sms: DELIVERED }],
  ["rejected", { websocket: "offline", push: REJECTED, sms: REJECTED }],
  ["failed", { websocket: "offline", push: RETRY, sms: RETRY }],
  [
    "unknown",
    {
      websocket: "offline",
      push: "no_subscription",
      sms: { kind: "unknown", detail: "sandbox" },
    },
  ],
  ["stored", { websocket: "offline", push: "no_subscription", sms: "no_phone" }],
]);

/** Undefined for anyone who is not such a recipient, and for words that are not in the table. */
export function sandboxScript(userId: string): SandboxScript | undefined {
  const word = RECIPIENT_PATTERN.exec(userId)?.[1];
  return word === undefined ? undefined : SCRIPTS.get(word);
}
