/** Reads what a client says to Redis: arrays of bulk strings (RESP), the only form clients send. */

export interface RedisCommand {
  /** As it came, to be passed on unchanged. */
  readonly bytes: Buffer;
  /** The command's name and its arguments. */
  readonly args: readonly string[];
}

const LINE_END = "\r\n";

/** @returns a function that takes bytes as they arrive and gives the commands that are complete. */
export function createCommandReader(): (chunk: Buffer) => RedisCommand[] {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const commands: RedisCommand[] = [];
    for (let command = read(pending); command !== undefined; command = read(pending)) {
      commands.push(command);
      pending = pending.subarray(command.bytes.length);
    }
    return commands;
  };
}

/** The first command, or undefined while some of it is still to come. */
function read(buffer: Buffer): RedisCommand | undefined {
  const head = readCount(buffer, 0, "*");
  if (head === undefined) return undefined;
  const args: string[] = [];
  let at = head.end;
  for (let index = 0; index < head.count; index += 1) {
    const length = readCount(buffer, at, "$");
    if (length === undefined) return undefined;
    const end = length.end + length.count;
    if (buffer.length < end + LINE_END.length) return undefined;
    args.push(buffer.toString("utf8", length.end, end));
    at = end + LINE_END.length;
  }
  return { bytes: buffer.subarray(0, at), args };
}

/** `*3\r\n` or `$12\r\n`: the number, and where what follows begins. */
function readCount(buffer: Buffer, from: number, mark: string) {
  if (buffer.length <= from) return undefined;
  const sign = buffer.toString("latin1", from, from + 1);
  if (sign !== mark) throw new Error(`expected ${mark} from a Redis client, got ${sign}`);
  const lineEnd = buffer.indexOf(LINE_END, from, "latin1");
  if (lineEnd < 0) return undefined;
  const count = Number(buffer.toString("latin1", from + 1, lineEnd));
  return { count, end: lineEnd + LINE_END.length };
}

/** The bytes of a command of our own. */
export function writeCommand(...args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${Buffer.byteLength(arg)}${LINE_END}${arg}${LINE_END}`);
  return Buffer.from(`*${args.length}${LINE_END}${parts.join("")}`);
}
