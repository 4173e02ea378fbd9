/**
 * Puts one record in the place of a batch that cannot be read: one that would unfold to more than
 * fits into the process, or whose compression is broken. kafkajs 2.2.4 fails at such a batch as a
 * whole, again and again, and reads nothing more of all partitions it asked for with it.
 */
import { createRequire } from "node:module";
import { MAX_INFLATED_BYTES } from "./compression.ts";

/** The head of a batch, whose fields lie at fixed places in front of its records. */
const HEAD = {
  bytes: 61,
  lengthAt: 8,
  countedFrom: 12,
  lastDeltaAt: 23,
  attributesAt: 21,
  maxTimestampAt: 35,
  producerIdAt: 43,
  recordsAt: 57,
} as const;
const IS_COMPRESSED = 0b111;
const IS_TRANSACTIONAL = 0b1_0000;

/**
 * Each becomes objects of some hundred bytes, so that a mebibyte of tiny ones fills the memory; and
 * the client hands all of a batch over as arguments of one call, of which about 120,000 fit the stack.
 */
const MAX_BATCH_RECORDS = 100_000;
/** What a record takes besides its value. */
const RECORD_BYTES = 500;

interface DecodedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}
interface Batch {
  readonly records: readonly DecodedRecord[];
}
/** The client's reader of bytes: one for all that an answer has of one partition. */
interface Decoder {
  readonly buffer: Buffer;
  readonly offset: number;
  forward(bytes: number): void;
}
type DecodeBatch = (decoder: Decoder) => Promise<Batch>;

const reasons = new WeakMap<Buffer, string>();

/** @returns why its batch could not be read; undefined of an ordinary record's value */
export function unreadableReason(value: Buffer | null): string | undefined {
  return value === null ? undefined : reasons.get(value);
}

let mended = false;

/** Before the first connection; a second call changes nothing. */
export function replaceUnreadableBatches(): void {
  if (mended) return;
  mended = true;
  const load = createRequire(import.meta.url);
  const decode = loadDecoder(load);
  const module = load.cache[load.resolve(BATCH_DECODER)];
  if (module === undefined) throw changedInside();
  module.exports = (decoder: Decoder): Promise<Batch> => readOrReplace(decode, decoder);
  // The client loads these with its first answer, and takes the new decoder then.
  const readers = /kafkajs[/\\]src[/\\]protocol[/\\]requests[/\\]fetch[/\\]v\d+[/\\]/;
  for (const name of Object.keys(load.cache)) if (readers.test(name)) delete load.cache[name];
}

const BATCH_DECODER = "kafkajs/src/protocol/recordBatch/v0/decoder";

function loadDecoder(load: NodeJS.Require): DecodeBatch {
  const loaded: unknown = load(BATCH_DECODER);
  if (!isDecodeBatch(loaded)) throw changedInside();
  return loaded;
}

function isDecodeBatch(loaded: unknown): loaded is DecodeBatch {
  return typeof loaded === "function" && loaded.length === 1;
}

function changedInside(): Error {
  return new Error("kafkajs has changed inside: see whether a batch that cannot be read stops it");
}

/** What has been unfolded of an answer, by the reader of its bytes. */
const unfolded = new WeakMap<Decoder, number>();

async function readOrReplace(decode: DecodeBatch, decoder: Decoder): Promise<Batch> {
  const start = decoder.offset;
  const head = decoder.buffer.subarray(start, start + HEAD.bytes);
  const end = start + HEAD.countedFrom + (head.length < HEAD.bytes ? 0 : lengthIn(head));
  // The rest of it did not fit into the answer, which the client knows.
  if (head.length < HEAD.bytes || end > decoder.buffer.length) return await decode(decoder);
  const before = unfolded.get(decoder) ?? 0;
  if (before > MAX_INFLATED_BYTES) throw asIfCutOff();
  const records = head.readInt32BE(HEAD.recordsAt);
  const isCompressed = (head.readInt16BE(HEAD.attributesAt) & IS_COMPRESSED) !== 0;
  if (records > MAX_BATCH_RECORDS) {
    const why = `it has ${records} records, and ${MAX_BATCH_RECORDS} are allowed`;
    return replaced(decoder, { head, end, why });
  }
  try {
    const batch = await decode(decoder);
    if (isCompressed) unfolded.set(decoder, before + sizeOf(batch));
    return batch;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return replaced(decoder, { head, end, why });
  }
}

/** The client hands over what came before, and asks for the rest again. */
function asIfCutOff(): Error {
  const error = new Error("enough of one partition at once");
  error.name = "KafkaJSPartialMessageError";
  return error;
}

function sizeOf({ records }: Batch): number {
  return records.reduce((sum, { value }) => sum + RECORD_BYTES + (value?.length ?? 0), 0);
}

function lengthIn(head: Buffer): number {
  return head.readInt32BE(HEAD.lengthAt);
}

/** Its offset is the batch's last, so that reading goes on behind it. */
function replaced(
  decoder: Decoder,
  { head, end, why }: { readonly head: Buffer; readonly end: number; readonly why: string },
): Batch {
  if (decoder.offset < end) decoder.forward(end - decoder.offset);
  const first = head.readBigInt64BE(0);
  const last = first + BigInt(head.readInt32BE(HEAD.lastDeltaAt));
  const reason = `The batch with the offsets ${first} to ${last} cannot be read: ${why}.`;
  const value = Buffer.from(reason);
  reasons.set(value, reason);
  const record: DecodedRecord = {
    offset: String(last),
    timestamp: String(head.readBigInt64BE(HEAD.maxTimestampAt)),
    key: null,
    value,
    headers: {},
    isControlRecord: false,
    batchContext: {
      producerId: String(head.readBigInt64BE(HEAD.producerIdAt)),
      inTransaction: (head.readInt16BE(HEAD.attributesAt) & IS_TRANSACTIONAL) !== 0,
    },
  };
  return { records: [record] };
}
