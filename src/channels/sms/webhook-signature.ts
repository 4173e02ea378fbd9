/**
 * How Schoolbell and an SMS gateway know each other's messages: HMAC-SHA256 with a secret that both
 * hold, over the time of sending and the body, byte by byte, in one header:
 * `t=<epoch seconds>,v1=<hex>`, with one `v1` for each secret while secrets are changed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export const SIGNATURE_HEADER = "schoolbell-signature";
/** How far the clocks may be apart, and how long a message that was overheard can be played again. */
export const SIGNATURE_TOLERANCE_SECONDS = 300;
/** A secret on its way out, one on its way in, and room for a mistake. */
const MAX_SIGNATURES = 5;
const MAX_HEADER_CHARACTERS = 512;

const TIME = /^t=(\d{1,12})$/;
const SIGNATURE = /^v1=([0-9a-f]{64})$/;

function macOf(secret: string, seconds: number | string, body: string | Buffer): Buffer {
  return createHmac("sha256", secret).update(`${seconds}.`).update(body).digest();
}

/** @param nowMs epoch milliseconds */
export function signBody(secrets: readonly string[], body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000);
  const signatures = secrets.map((secret) => `v1=${macOf(secret, seconds, body).toString("hex")}`);
  return [`t=${seconds}`, ...signatures].join(",");
}

export type SignatureCheck = "valid" | "invalid" | "too_old";

/**
 * `too_old`: rightly signed, and outside of the tolerance, in whichever direction.
 * @param body exactly as it came
 */
export function checkSignature(
  secrets: readonly string[],
  message: { readonly header: string | undefined; readonly body: string | Buffer },
  nowMs: number,
): SignatureCheck {
  const { header = "", body } = message;
  if (header.length > MAX_HEADER_CHARACTERS) return "invalid";
  const [first = "", ...others] = header.split(",").map((part) => part.trim());
  const seconds = TIME.exec(first)?.[1];
  if (seconds === undefined || others.length > MAX_SIGNATURES) return "invalid";
  // What is none of ours, such as a version to come, is passed over.
  const given = others.flatMap((part) => {
    const hex = SIGNATURE.exec(part)?.[1];
    return hex === undefined ? [] : [Buffer.from(hex, "hex")];
  });
  let isSigned = false;
  for (const secret of secrets) {
    const expected = macOf(secret, seconds, body);
    for (const signature of given) if (timingSafeEqual(signature, expected)) isSigned = true;
  }
  if (!isSigned) return "invalid";
  const apart = Math.abs(nowMs / 1_000 - Number(seconds));
  return apart <= SIGNATURE_TOLERANCE_SECONDS ? "valid" : "too_old";
}
