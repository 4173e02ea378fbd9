/**
 * Text frames as they stand on the wire (RFC 6455, section 5.2). `ws` writes each frame's header and
 * text apart and makes four objects for it; put together here, a replay is one write, and a frame for
 * several tabs or a heartbeat for all sockets is laid out once.
 */

/** FIN and the opcode of text: every message is one frame. */
const WHOLE_TEXT = 0x81;
/** Lengths above say in their place how many bytes the real one takes. */
const MAX_SHORT_LENGTH = 125;
const MAX_MEDIUM_LENGTH = 0xffff;
const MEDIUM_MARK = 126;
const LONG_MARK = 127;

function headerBytes(length: number): number {
  if (length <= MAX_SHORT_LENGTH) return 2;
  return length <= MAX_MEDIUM_LENGTH ? 4 : 10;
}

/** @returns where the header ends. Servers do not mask what they send. */
function writeHeader(target: Buffer, at: number, length: number): number {
  target[at] = WHOLE_TEXT;
  if (length <= MAX_SHORT_LENGTH) {
    target[at + 1] = length;
    return at + 2;
  }
  if (length <= MAX_MEDIUM_LENGTH) {
    target[at + 1] = MEDIUM_MARK;
    return target.writeUInt16BE(length, at + 2);
  }
  target[at + 1] = LONG_MARK;
  return target.writeBigUInt64BE(BigInt(length), at + 2);
}

/** Lays out one text frame. */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerBytes(length) + length);
  frame.write(text, writeHeader(frame, 0, length));
  return frame;
}

/** Lays out a text frame for each text, one directly behind the other. */
export function encodeTextFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const total = lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0);
  const frames = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at = writeHeader(frames, at, lengths[index] ?? 0);
    at += frames.write(text, at);
  }
  return frames;
}
