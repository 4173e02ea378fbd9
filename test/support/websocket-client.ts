/** A client of the gateway as a test sees it: frames in a queue, the close as a promise. */
import { WebSocket } from "ws";

export type ReceivedFrame = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ConnectOptions {
  readonly token?: string;
  readonly ticket?: string;
  readonly replayFrom?: string;
  readonly epoch?: string;
  readonly ack?: boolean;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestClient {
  /** All frames so far. */
  readonly frames: readonly ReceivedFrame[];
  /** The next frame not taken yet, or the next of this type; waits for it. Rejects at the close. */
  next(type?: string): Promise<ReceivedFrame>;
  /** The next notification not taken yet. */
  nextNotification(): Promise<ReceivedFrame>;
  /** Replay ids of all notifications so far. */
  replayIds(): string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Sends an object as JSON, text as it is. */
  send(frame: object | string | Buffer): void;
  /** Stops reading, so that the server's data piles up. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

function addressOf(baseUrl: string, options: ConnectOptions): string {
  const url = new URL(options.path ?? "/ws/notify", baseUrl);
  if (options.token !== undefined) url.searchParams.set("token", options.token);
  if (options.ticket !== undefined) url.searchParams.set("ticket", options.ticket);
  if (options.replayFrom !== undefined) url.searchParams.set("replay_from", options.replayFrom);
  if (options.epoch !== undefined) url.searchParams.set("epoch", options.epoch);
  if (options.ack === true) url.searchParams.set("ack", "1");
  return url.href;
}

function parseFrame(text: string): ReceivedFrame {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("type" in value)) {
    throw new Error(`the server sent something that is no frame: ${text.slice(0, 200)}`);
  }
  return { ...value, type: String(value.type) };
}

/** Frames in order of arrival, each taken at most once. */
function createFrameQueue() {
  type Wanted = (frame: ReceivedFrame) => boolean;
  const untaken: ReceivedFrame[] = [];
  const waiting: {
    wanted: Wanted;
    resolve: (frame: ReceivedFrame) => void;
    reject: (error: Error) => void;
  }[] = [];
  let end: Error | undefined;

  return {
    push(frame: ReceivedFrame): void {
      const index = waiting.findIndex(({ wanted }) => wanted(frame));
      if (index < 0) untaken.push(frame);
      else waiting.splice(index, 1)[0]?.resolve(frame);
    },
    take(wanted: Wanted): Promise<ReceivedFrame> {
      const index = untaken.findIndex(wanted);
      const [frame] = index < 0 ? [] : untaken.splice(index, 1);
      if (frame !== undefined) return Promise.resolve(frame);
      if (end !== undefined) return Promise.reject(end);
      return new Promise((resolve, reject) => waiting.push({ wanted, resolve, reject }));
    },
    close(error: Error): void {
      end = error;
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  };
}

/** Resolves when the socket is open; rejects if the server answers with plain HTTP. */
export async function connect(baseUrl: string, options: ConnectOptions = {}): Promise<TestClient> {
  const socket = new WebSocket(addressOf(baseUrl, options), { headers: { ...options.headers } });
  const frames: ReceivedFrame[] = [];
  const queue = createFrameQueue();

  socket.on("message", (data: Buffer) => {
    const frame = parseFrame(data.toString("utf8"));
    frames.push(frame);
    queue.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      queue.close(new Error(`the socket was closed: ${code} ${reason.toString()}`));
      resolve({ code, reason: reason.toString() });
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => {});

  const isNotification = (frame: ReceivedFrame): boolean => "notification_id" in frame;
  return {
    frames,
    next: (type) => queue.take((frame) => type === undefined || frame.type === type),
    nextNotification: () => queue.take(isNotification),
    replayIds: () => frames.filter(isNotification).map((frame) => String(frame["replay_id"])),
    closed,
    send(frame) {
      const raw = typeof frame === "string" || Buffer.isBuffer(frame);
      socket.send(raw ? frame : JSON.stringify(frame));
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async close() {
      socket.resume();
      socket.close();
      await closed;
    },
  };
}
