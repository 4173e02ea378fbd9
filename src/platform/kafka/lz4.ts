/**
 * Decompresses LZ4 frames. Checksums are not compared: Kafka has one of its own over each batch.
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md
 */
import { createInflatedBytes, type InflatedBytes } from "./inflated-bytes.ts";

const MAGIC = 0x184d2204;
const HAS_BLOCK_CHECKSUMS = 0b1_0000;
const HAS_CONTENT_SIZE = 0b1000;
const HAS_CONTENT_CHECKSUM = 0b100;
const HAS_DICTIONARY_ID = 0b1;
const IS_UNCOMPRESSED = 0x8000_0000;
const CHECKSUM_BYTES = 4;
/** A length of so much in a token goes on in the bytes behind it. */
const LONG_LENGTH = 15;
const LEAST_MATCH = 4;

/** @throws RangeError if it is no LZ4 frame, or more than `limit` bytes */
export function lz4Decompress(compressed: Buffer, limit: number): Buffer {
  const out = createInflatedBytes(2 * compressed.length, limit);
  for (let at = 0; at < compressed.length;) at = inflateFrame(compressed, at, out);
  return out.bytes();
}

/** @returns where it ends */
function inflateFrame(bytes: Buffer, start: number, out: InflatedBytes): number {
  if (bytes.readUInt32LE(start) !== MAGIC) throw new RangeError("this is no LZ4 frame");
  const flags = bytes.readUInt8(start + 4);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  // Magic, flags, a byte about the size of blocks, two optional fields, and the header's checksum.
  let at = start + 7 + (has(HAS_CONTENT_SIZE) ? 8 : 0) + (has(HAS_DICTIONARY_ID) ? 4 : 0);
  for (;;) {
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) return has(HAS_CONTENT_CHECKSUM) ? at + CHECKSUM_BYTES : at;
    const isCompressed = word < IS_UNCOMPRESSED;
    const end = at + (isCompressed ? word : word - IS_UNCOMPRESSED);
    if (end > bytes.length) throw new RangeError("an LZ4 block is cut off");
    const block = bytes.subarray(at, end);
    if (isCompressed) inflateBlock(block, out);
    else out.literal(block);
    at = has(HAS_BLOCK_CHECKSUMS) ? end + CHECKSUM_BYTES : end;
  }
}

function inflateBlock(block: Buffer, out: InflatedBytes): void {
  let at = 0;
  /** What a token's four bits say, with the bytes that follow where that is not all. */
  const lengthOf = (bits: number): number => {
    if (bits < LONG_LENGTH) return bits;
    let length = bits;
    for (;;) {
      const byte = block.readUInt8(at);
      at += 1;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < block.length) {
    const token = block.readUInt8(at);
    at += 1;
    const literals = lengthOf(token >>> 4);
    if (at + literals > block.length) throw new RangeError("an LZ4 literal is cut off");
    out.literal(block.subarray(at, at + literals));
    at += literals;
    // The last sequence has nothing but literals.
    if (at === block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    out.repeat(distance, lengthOf(token & 0b1111) + LEAST_MATCH);
  }
}
