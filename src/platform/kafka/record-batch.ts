/**
 * A batch of records as it goes to the broker, uncompressed, in the form of Kafka 0.11 and later.
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import { crc32c } from "./crc32c.ts";

/** As the client has it: nothing, bytes or text. */
type Content = Buffer | string | null | undefined;

export interface BatchRecord {
  readonly key?: Content;
  readonly value: Content;
  readonly headers?: Readonly<Record<string, Content>> | undefined;
}

/** Fields that stand before the records, and where; the checksum is of all that comes after it. */
const HEAD = {
  lengthAt: 8,
  countedFrom: 12,
  magicAt: 16,
  crcAt: 17,
  attributesAt: 21,
  lastDeltaAt: 23,
  firstTimestampAt: 27,
  maxTimestampAt: 35,
  producerIdAt: 43,
  recordsAt: 57,
  bytes: 61,
} as const;
const MAGIC = 2;
const NO_PRODUCER_ID = -1n;
/** Of a number that says how long something is. */
const MAX_VARINT_BYTES = 5;

/** Bytes that the batch has at most: enough to write it into. */
export function maxBatchBytes(records: readonly BatchRecord[]): number {
  let bytes = HEAD.bytes;
  for (const { key, value, headers } of records) {
    // Its length, attributes, time, place, and how many headers it has.
    bytes += 3 * MAX_VARINT_BYTES + 2 + maxContentBytes(key) + maxContentBytes(value);
    for (const name in headers) bytes += maxContentBytes(name) + maxContentBytes(headers[name]);
  }
  return bytes;
}

function maxContentBytes(content: Content): number {
  return MAX_VARINT_BYTES + bytesOf(content);
}

function bytesOf(content: Content): number {
  if (content === null || content === undefined) return 0;
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}

/**
 * Writes a batch whose records are all of one time.
 * @param now epoch ms
 * @returns the place behind it
 */
export function writeBatch(
  target: Buffer,
  start: number,
  records: readonly BatchRecord[],
  now: number,
): number {
  target.fill(0, start, start + HEAD.bytes);
  target[start + HEAD.magicAt] = MAGIC;
  target.writeInt32BE(records.length - 1, start + HEAD.lastDeltaAt);
  target.writeBigInt64BE(BigInt(now), start + HEAD.firstTimestampAt);
  target.writeBigInt64BE(BigInt(now), start + HEAD.maxTimestampAt);
  target.writeBigInt64BE(NO_PRODUCER_ID, start + HEAD.producerIdAt);
  target.writeInt32BE(records.length, start + HEAD.recordsAt);
  let end = start + HEAD.bytes;
  for (const [place, record] of records.entries()) end = writeRecord(target, end, record, place);
  target.writeInt32BE(end - start - HEAD.countedFrom, start + HEAD.lengthAt);
  const sum = crc32c(target.subarray(start + HEAD.attributesAt, end));
  target.writeUInt32BE(sum, start + HEAD.crcAt);
  return end;
}

function writeRecord(target: Buffer, start: number, record: BatchRecord, place: number): number {
  const { key, value, headers = {} } = record;
  const [keyBytes, valueBytes] = [bytesOf(key), bytesOf(value)];
  let count = 0;
  // No attributes, and no time after that of the batch.
  let body = 2 + varintBytes(place) + varintBytes(lengthOf(key, keyBytes)) + keyBytes;
  body += varintBytes(lengthOf(value, valueBytes)) + valueBytes;
  for (const name in headers) {
    const [nameBytes, headerBytes] = [bytesOf(name), bytesOf(headers[name])];
    body += varintBytes(nameBytes) + nameBytes;
    body += varintBytes(lengthOf(headers[name], headerBytes)) + headerBytes;
    count += 1;
  }
  body += varintBytes(count);
  let at = writeVarint(target, start, body);
  target[at] = 0;
  target[at + 1] = 0;
  at = writeVarint(target, at + 2, place);
  at = writeContent(target, at, key, keyBytes);
  at = writeContent(target, at, value, valueBytes);
  at = writeVarint(target, at, count);
  for (const name in headers) {
    at = writeContent(target, at, name, bytesOf(name));
    at = writeContent(target, at, headers[name], bytesOf(headers[name]));
  }
  return at;
}

/** What is not there is one shorter than what is empty. */
function lengthOf(content: Content, bytes: number): number {
  return content === null || content === undefined ? -1 : bytes;
}

function writeContent(target: Buffer, start: number, content: Content, bytes: number): number {
  const at = writeVarint(target, start, lengthOf(content, bytes));
  if (typeof content === "string") target.write(content, at, bytes);
  else if (content !== null && content !== undefined) target.set(content, at);
  return at + bytes;
}

/** Signs are in the lowest bit; seven bits to a byte, the lowest first. */
function writeVarint(target: Buffer, start: number, value: number): number {
  let rest = zigzag(value);
  let at = start;
  for (; rest > 127; rest >>>= 7) {
    target[at] = (rest & 127) | 128;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest > 127; rest >>>= 7) bytes += 1;
  return bytes;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}
