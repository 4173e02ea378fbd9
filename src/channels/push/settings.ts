/** What the push channel takes from the configuration, checked once at start. */
import { createECDH } from "node:crypto";
import { ConfigError } from "../../platform/config.ts";
import type { Config } from "../../platform/config-schema.ts";
import type { VapidPair } from "../../platform/key-material.ts";

/** What web-push insists on; OpenSSL itself would take a shorter one. */
const PRIVATE_KEY_BYTES = 32;

export interface PushSettings {
  readonly vapid: VapidPair & { readonly subject: string };
  readonly iconUrl: string;
  readonly timeoutMs: number;
}

/** A pair that does not belong together is refused by every push service, with a bare 403. */
function assertPair({ publicKey, privateKey }: VapidPair): void {
  const scalar = Buffer.from(privateKey, "base64url");
  const ecdh = createECDH("prime256v1");
  try {
    if (scalar.length !== PRIVATE_KEY_BYTES) throw new RangeError("not 32 bytes");
    ecdh.setPrivateKey(scalar);
  } catch (cause) {
    throw new ConfigError("VAPID_PRIVATE_KEY is not a P-256 key in base64url (npm run keys)", {
      cause,
    });
  }
  if (ecdh.getPublicKey("base64url") !== publicKey) {
    throw new ConfigError("VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY (npm run keys)");
  }
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
  const keys =
    config.VAPID_PUBLIC_KEY !== undefined && config.VAPID_PRIVATE_KEY !== undefined
      ? { publicKey: config.VAPID_PUBLIC_KEY, privateKey: config.VAPID_PRIVATE_KEY }
      : developmentKeys;
  if (keys === undefined) return undefined;
  assertPair(keys);
  return {
    vapid: {
      publicKey: keys.publicKey,
      privateKey: keys.privateKey,
      subject: config.VAPID_SUBJECT,
    },
    iconUrl: config.PUSH_ICON_URL,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
  };
}
