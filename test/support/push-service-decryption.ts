/** The browser's half of message encryption for Web Push (RFC 8291) over aes128gcm (RFC 8188). */
import { createDecipheriv, createECDH, hkdfSync } from "node:crypto";

const SALT_BYTES = 16;
const RECORD_SIZE_BYTES = 4;
const POINT_BYTES = 65;
const HEADER_BYTES = SALT_BYTES + RECORD_SIZE_BYTES + 1 + POINT_BYTES;
const TAG_BYTES = 16;
/** Marks the last record of a message; padding of zeros may follow it. */
const LAST_RECORD = 2;

export interface ReceiverKeys {
  /** P-256, 32 bytes. */
  readonly privateKey: Buffer;
  readonly authSecret: Buffer;
}

function derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));
}

/** @throws Error if the message is malformed or was not encrypted to these keys. */
export function decryptPush(message: Buffer, receiver: ReceiverKeys): Buffer {
  if (message.length < HEADER_BYTES + TAG_BYTES) throw new Error("the message is too short");
  const salt = message.subarray(0, SALT_BYTES);
  const recordSize = message.readUInt32BE(SALT_BYTES);
  if (message[SALT_BYTES + RECORD_SIZE_BYTES] !== POINT_BYTES) {
    throw new Error("the key id is not the sender's public key");
  }
  const senderPoint = message.subarray(HEADER_BYTES - POINT_BYTES, HEADER_BYTES);
  const record = message.subarray(HEADER_BYTES);
  if (record.length > recordSize) throw new Error("a push message is a single record");

  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(receiver.privateKey);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), ecdh.getPublicKey(), senderPoint]);
  const keyMaterial = derive(ecdh.computeSecret(senderPoint), receiver.authSecret, info, 32);
  const key = derive(keyMaterial, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = derive(keyMaterial, salt, Buffer.from("Content-Encoding: nonce\0"), 12);

  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(record.subarray(-TAG_BYTES));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -TAG_BYTES)), decipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== LAST_RECORD) throw new Error("the record is not marked as the last");
  return padded.subarray(0, end);
}
