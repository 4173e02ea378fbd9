/**
 * With this a service worker hands in the subscription that its browser put in the place of another:
 * it has no token of its user, and perhaps no page for weeks. It says whose and which subscription may
 * be replaced, and is worth as much as that one: once replaced, it is worth nothing.
 */
import { timingSafeEqual } from "node:crypto";
import { USER_ID_PATTERN } from "../../contract/notification-request.ts";
import type { Sealing } from "../../platform/sealing.ts";

export interface Renewal {
  readonly userId: string;
  readonly subscriptionId: string;
}

export interface RenewalTokens {
  sign(renewal: Renewal): string;
  /** Undefined if it is not one of ours. */
  read(token: string): Renewal | undefined;
}

const TOKEN_PATTERN = /^([A-Za-z0-9_-]{2,172})\.([0-9a-f]{64})\.([0-9a-f]{64})$/;

export function createRenewalTokens(deps: {
  readonly sealing: Pick<Sealing, "digest" | "digests">;
}): RenewalTokens {
  const saying = ({ userId, subscriptionId }: Renewal): string =>
    `push-renewal ${userId} ${subscriptionId}`;
  return {
    sign(renewal) {
      const user = Buffer.from(renewal.userId).toString("base64url");
      return `${user}.${renewal.subscriptionId}.${deps.sealing.digest(saying(renewal))}`;
    },

    read(token) {
      const [, user, subscriptionId, given] = TOKEN_PATTERN.exec(token) ?? [];
      if (user === undefined || subscriptionId === undefined || given === undefined) {
        return undefined;
      }
      const renewal = { userId: Buffer.from(user, "base64url").toString(), subscriptionId };
      if (!USER_ID_PATTERN.test(renewal.userId)) return undefined;
      const actual = Buffer.from(given);
      // It lies in a browser for months: one that an older key signed is good too.
      const isOurs = deps.sealing
        .digests(saying(renewal))
        .some((digest) => timingSafeEqual(Buffer.from(digest), actual));
      return isOurs ? renewal : undefined;
    },
  };
}
