/**
 * Decompresses Snappy, alone or in the frames that Java's library puts around it.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
import { createInflatedBytes, type InflatedBytes } from "./inflated-bytes.ts";

/** `0x82 "SNAPPY" 0x00`, then two version numbers of four bytes each. */
const FRAME_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const FRAME_HEADER_BYTES = 16;
/** Above this, a literal's length follows its tag, in one byte for each step. */
const LONGEST_SHORT_LITERAL = 59;

/** @throws RangeError if it is no Snappy, or more than `limit` bytes */
export function snappyDecompress(compressed: Buffer, limit: number): Buffer {
  const isFramed = compressed.subarray(0, FRAME_MAGIC.length).equals(FRAME_MAGIC);
  if (!isFramed) {
    const { value: expected, next } = readVarint(compressed, 0);
    const out = createInflatedBytes(expected, limit);
    inflateBlock(compressed.subarray(next), out);
    return out.bytes();
  }
  const out = createInflatedBytes(0, limit);
  for (let at = FRAME_HEADER_BYTES; at < compressed.length;) {
    const start = at + 4;
    const end = start + compressed.readUInt32BE(at);
    const block = compressed.subarray(start, end);
    // Each block refers only to itself, and says first how long it is.
    const inner = createInflatedBytes(0, limit);
    inflateBlock(block.subarray(readVarint(block, 0).next), inner);
    out.literal(inner.bytes());
    at = end;
  }
  return out.bytes();
}

function readVarint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let next = at; ; next += 1) {
    const byte = bytes.readUInt8(next);
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) return { value, next: next + 1 };
  }
}

function inflateBlock(block: Buffer, out: InflatedBytes): void {
  for (let at = 0; at < block.length;) {
    const tag = block.readUInt8(at);
    at += 1;
    const size = tag >>> 2;
    switch (tag & 0b11) {
      case 0: {
        const lengthBytes = Math.max(0, size - LONGEST_SHORT_LITERAL);
        const length = (lengthBytes === 0 ? size : block.readUIntLE(at, lengthBytes)) + 1;
        at += lengthBytes;
        if (at + length > block.length) throw new RangeError("a Snappy literal is cut off");
        out.literal(block.subarray(at, at + length));
        at += length;
        break;
      }
      case 1:
        out.repeat(((tag & 0b1110_0000) << 3) | block.readUInt8(at), (size & 0b111) + 4);
        at += 1;
        break;
      case 2:
        out.repeat(block.readUInt16LE(at), size + 1);
        at += 2;
        break;
      default:
        out.repeat(block.readUInt32LE(at), size + 1);
        at += 4;
    }
  }
}
