/** A browser's push subscription as `PushSubscription.toJSON()` writes it. */
import { ECDH } from "node:crypto";
import { z } from "zod";

/** Longest endpoint seen from a push service is below 500; the rest is room. */
const MAX_ENDPOINT_LENGTH = 2_048;
const PUBLIC_KEY_BYTES = 65;
const UNCOMPRESSED_POINT = 0x04;
const AUTH_SECRET_BYTES = 16;

const base64url = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-]+={0,2}$/, "must be base64url");

/** Encrypting to a point that is not on the curve would fail at every send. */
function isPublicKey(text: string): boolean {
  const key = Buffer.from(text, "base64url");
  if (key.length !== PUBLIC_KEY_BYTES || key[0] !== UNCOMPRESSED_POINT) return false;
  try {
    ECDH.convertKey(key, "prime256v1");
    return true;
  } catch {
    return false;
  }
}

export const endpointSchema = z.string().min(1).max(MAX_ENDPOINT_LENGTH);

const subscriptionKeysSchema = z.object({
  p256dh: base64url
    .refine(isPublicKey, "must be an uncompressed P-256 point of 65 bytes")
    .describe("the browser's public key: an uncompressed P-256 point of 65 bytes, in base64url"),
  auth: base64url
    .refine(
      (text) => Buffer.from(text, "base64url").length === AUTH_SECRET_BYTES,
      "must be 16 bytes",
    )
    .describe("its authentication secret: 16 bytes, in base64url"),
});

export const subscriptionSchema = z.object({
  endpoint: endpointSchema.describe("where the push service takes messages for this browser"),
  expirationTime: z
    .number()
    .nullish()
    .describe("until when the browser says it is good, epoch ms: nothing is sent after that"),
  keys: subscriptionKeysSchema.describe("what messages to this browser are encrypted with"),
  application_server_key: base64url
    .optional()
    .describe(
      "the VAPID public key that the browser subscribed with " +
        "(subscription.options.applicationServerKey), in base64url; absent: the current one",
    ),
});

export type PushSubscription = z.infer<typeof subscriptionSchema>;

/** What a person reads in their list of devices. */
const MAX_LABEL_LENGTH = 60;

export const deviceLabelSchema = z
  .string()
  .trim()
  .min(1)
  .max(MAX_LABEL_LENGTH)
  .refine(
    (text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text),
    "must be one line of text",
  );
