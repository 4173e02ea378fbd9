/**
 * A WebSocket client that costs little, since it shares the machine with what it measures: it takes
 * unfragmented text frames apart in place. What a browser may meet beyond that is a fault here.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";

export interface SocketEvents {
  /** A text frame lies at `from` to `to`; the bytes are overwritten afterwards. */
  frame(bytes: Buffer, from: number, to: number): void;
  /** All frames of what was read at once have been handed over. */
  burst(): void;
  /** It ended, though nobody here asked it to. */
  closed(reason: string): void;
}

export interface ClientSocket {
  /** @param text at most 125 ASCII characters */
  send(text: string): void;
  close(): void;
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const FINAL = 0x80;
const MASKED = 0x80;
const MAX_SHORT = 125;
const LENGTH_16 = 126;
const MASK_BYTES = 4;
const HEADERS_END = "\r\n\r\n";
/** Of clients to servers, as the protocol wants it; that it is guessed here harms nobody. */
const MASK = randomBytes(MASK_BYTES);
/** All sockets read into this one: each read is dealt with before the next begins. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1_024);

/** Opens it; a refusal is told as `closed`. @param address `ws://host:port/path?query` */
export function openSocket(address: string, events: SocketEvents): ClientSocket {
  const url = new URL(address);
  let carry: Buffer | undefined;
  let upgraded = false;
  let closing = false;

  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer: READ_BUFFER,
      callback(count, buffer) {
        const fresh = Buffer.from(buffer.buffer, buffer.byteOffset, count);
        const bytes = carry === undefined ? fresh : Buffer.concat([carry, fresh]);
        const rest = read(bytes);
        // A copy: the buffer belongs to whichever socket reads next.
        carry = rest < bytes.length ? Buffer.from(bytes.subarray(rest)) : undefined;
        return true;
      },
    },
  });
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}${HEADERS_END}`,
  );
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the connection was closed"));

  function end(reason: string): void {
    if (closing) return;
    closing = true;
    socket.destroy();
    events.closed(reason);
  }

  /** @returns how much was dealt with */
  function read(bytes: Buffer): number {
    let at = 0;
    if (!upgraded) {
      const head = bytes.indexOf(HEADERS_END);
      if (head < 0) return 0;
      const status = bytes.toString("latin1", 0, bytes.indexOf("\r\n"));
      if (!status.startsWith("HTTP/1.1 101")) end(status);
      upgraded = true;
      at = head + HEADERS_END.length;
    }
    for (let next: number | undefined = at; next !== undefined; next = readFrame(bytes, at)) {
      at = next;
    }
    if (!closing && at > 0) events.burst();
    return at;
  }

  /** @returns where the next one begins; undefined if this one is not complete */
  function readFrame(bytes: Buffer, at: number): number | undefined {
    const first = bytes[at];
    const second = bytes[at + 1];
    if (first === undefined || second === undefined || closing) return undefined;
    let from = at + 2;
    let length = second;
    if (second === LENGTH_16) {
      if (bytes.length < from + 2) return undefined;
      length = bytes.readUInt16BE(from);
      from += 2;
    }
    const to = from + length;
    if (to > bytes.length) return undefined;
    if (first === (FINAL | TEXT) && second <= LENGTH_16) events.frame(bytes, from, to);
    else if (first === (FINAL | PING)) write(PONG, bytes.toString("latin1", from, to));
    else if (first === (FINAL | CLOSE)) {
      end(`closed with ${length < 2 ? "no code" : bytes.readUInt16BE(from)}`);
    } else end(`a frame that this client cannot read: ${first}, ${second}`);
    return to;
  }

  function write(opcode: number, text: string): void {
    const length = Math.min(text.length, MAX_SHORT);
    const bytes = Buffer.allocUnsafe(2 + MASK_BYTES + length);
    bytes[0] = FINAL | opcode;
    bytes[1] = MASKED | length;
    MASK.copy(bytes, 2);
    for (let at = 0; at < length; at += 1) {
      bytes[2 + MASK_BYTES + at] = text.charCodeAt(at) ^ (MASK[at % MASK_BYTES] ?? 0);
    }
    socket.write(bytes);
  }

  return {
    send: (text) => write(TEXT, text),
    close() {
      closing = true;
      socket.destroy();
    },
  };
}
