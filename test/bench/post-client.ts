/**
 * Posts JSON over a few connections that stay open, at a fraction of what a full HTTP client costs:
 * it knows just the answers that the servers of the bench give, those with a `Content-Length`.
 */
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface PostClient {
  /** @param headers each with `\r\n` at its end. @throws Error when there is no answer */
  post(path: string, headers: string, body: string): Promise<Answer>;
  close(): void;
}

interface Waiting {
  readonly text: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

interface Line {
  readonly socket: Socket;
  current: Waiting | undefined;
  received: string;
}

const HEADERS_END = "\r\n\r\n";
const STATUS_FROM = "HTTP/1.1 ".length;
const STATUS_TO = STATUS_FROM + 3;
const LENGTH_HEADER = /\r\ncontent-length: *(\d+)/i;
const REQUEST_TIMEOUT_MS = 15_000;

/** @param options.connections at most; what comes while all wait for answers waits its turn */
export function createPostClient(options: {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
}): PostClient {
  const url = new URL(options.url);
  const common = `Host: ${url.host}\r\nAuthorization: Bearer ${options.token}\r\nContent-Type: application/json\r\n`;
  const lines = new Set<Line>();
  /** Last used first: few connections serve a light load, and their caches stay warm. */
  const idle: Line[] = [];
  const queue: Waiting[] = [];
  let queueHead = 0;
  let closing = false;

  function open(): Line {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    const line: Line = { socket, current: undefined, received: "" };
    // What is looked for in an answer is ASCII, and its length is counted in bytes.
    socket.setEncoding("latin1");
    socket.setTimeout(REQUEST_TIMEOUT_MS);
    socket.on("data", (chunk: string) => receive(line, chunk));
    socket.on("timeout", () => {
      if (line.current !== undefined) socket.destroy(new Error("no answer in time"));
    });
    socket.on("error", (error) => fail(line, error));
    socket.on("close", () => fail(line, new Error("the connection was closed")));
    lines.add(line);
    return line;
  }

  function fail(line: Line, error: Error): void {
    line.current?.reject(error);
    line.current = undefined;
    lines.delete(line);
    const at = idle.indexOf(line);
    if (at >= 0) idle.splice(at, 1);
    const next = closing ? undefined : takeNext();
    if (next !== undefined) start(open(), next);
  }

  function takeNext(): Waiting | undefined {
    const next = queue[queueHead];
    if (next === undefined) return undefined;
    queueHead += 1;
    if (queueHead === queue.length) {
      queue.length = 0;
      queueHead = 0;
    }
    return next;
  }

  function start(line: Line, waiting: Waiting): void {
    line.current = waiting;
    line.received = "";
    line.socket.write(waiting.text, "latin1");
  }

  function receive(line: Line, chunk: string): void {
    line.received = line.received === "" ? chunk : line.received + chunk;
    const { received, current } = line;
    const head = received.indexOf(HEADERS_END);
    if (head < 0 || current === undefined) return;
    const length = LENGTH_HEADER.exec(received)?.[1];
    if (length === undefined) {
      line.socket.destroy(new Error("an answer without Content-Length"));
      return;
    }
    const from = head + HEADERS_END.length;
    if (received.length < from + Number(length)) return;
    line.current = undefined;
    const next = takeNext();
    if (next === undefined) idle.push(line);
    else start(line, next);
    const status = Number(received.slice(STATUS_FROM, STATUS_TO));
    current.resolve({ status, body: received.slice(from) });
  }

  return {
    post(path, headers, body) {
      const text = `POST ${path} HTTP/1.1\r\n${common}${headers}Content-Length: ${body.length}${HEADERS_END}${body}`;
      return new Promise((resolve, reject) => {
        const waiting = { text, resolve, reject };
        const line = idle.pop() ?? (lines.size < options.connections ? open() : undefined);
        if (line === undefined) queue.push(waiting);
        else start(line, waiting);
      });
    },
    close() {
      closing = true;
      for (const { socket } of lines) socket.destroy();
    },
  };
}
