/** What the push channel takes from the configuration, checked once at start. */
import { ConfigError } from "../../platform/config.ts";
import type { Config } from "../../platform/config-schema.ts";
import type { VapidPair } from "../../platform/key-material.ts";
import { createVapidKeys, pairFault, type VapidKeys } from "./vapid-keys.ts";

export interface PushSettings {
  readonly keys: VapidKeys;
  /** Whom a push service can write to about this sender: `mailto:` or `https:`. */
  readonly subject: string;
  readonly iconUrl: string;
  readonly timeoutMs: number;
}

/** A pair that does not belong together is refused by every push service, with a bare 403. */
function assertPair(pair: VapidPair): void {
  const fault = pairFault(pair);
  if (fault === "private") {
    throw new ConfigError("VAPID_PRIVATE_KEY is not a P-256 key in base64url (npm run keys)");
  }
  if (fault === "mismatch") {
    throw new ConfigError("VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY (npm run keys)");
  }
}

/** Named by their place, since no message may repeat a secret. */
function assertPrevious(current: VapidPair, previous: readonly VapidPair[]): void {
  const seen = new Set([current.publicKey]);
  for (const [at, pair] of previous.entries()) {
    const name = `VAPID_PREVIOUS_KEYS: entry ${at + 1}`;
    const fault = pairFault(pair);
    if (fault === "private") {
      throw new ConfigError(`${name} has no P-256 private key in base64url behind its colon`);
    }
    if (fault === "mismatch") {
      throw new ConfigError(`${name} has a public key that does not belong to its private key`);
    }
    if (seen.has(pair.publicKey)) {
      throw new ConfigError(`${name} is the current pair, or stands there twice`);
    }
    seen.add(pair.publicKey);
  }
}

/** @throws ConfigError for a pair that is malformed or does not match, or one that stands there twice. */
export function assertVapidKeys(current: VapidPair, previous: readonly VapidPair[]): void {
  assertPair(current);
  assertPrevious(current, previous);
}

/**
 * @param developmentKeys used where the configuration names no pair.
 * @returns undefined without any pair: push is then disabled.
 * @throws ConfigError for a pair that is malformed or does not match.
 */
export function readPushSettings(
  config: Config,
  developmentKeys?: VapidPair,
): PushSettings | undefined {
  const current =
    config.VAPID_PUBLIC_KEY !== undefined && config.VAPID_PRIVATE_KEY !== undefined
      ? { publicKey: config.VAPID_PUBLIC_KEY, privateKey: config.VAPID_PRIVATE_KEY }
      : developmentKeys;
  if (current === undefined) return undefined;
  assertVapidKeys(current, config.VAPID_PREVIOUS_KEYS);
  return {
    keys: createVapidKeys(current, config.VAPID_PREVIOUS_KEYS),
    subject: config.VAPID_SUBJECT,
    iconUrl: config.PUSH_ICON_URL,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
  };
}
