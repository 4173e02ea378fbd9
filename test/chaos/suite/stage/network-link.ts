/**
 * The network between one process and one server, which can break in the ways that networks do. TCP
 * passes through it as it is; give each process a link of its own and each breaks by itself.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { findFreePort } from "../../../../src/platform/kafka/local-broker.ts";
import { createLane, type Flow, type Lane } from "./network-lane.ts";

export interface NetworkLink {
  /** The target's address with this link in between. */
  readonly url: string;
  /** Connections are reset, new ones refused. */
  cut(): void;
  /**
   * Connections stay and no byte passes, new ones are accepted and silent. What was sent meanwhile
   * arrives when the link heals, as a network repeats what was not acknowledged.
   */
  blackhole(): Promise<void>;
  /** Each chunk arrives this much later, in either direction, in order. */
  delay(delayMs: number): Promise<void>;
  /**
   * Requests pass, answers are lost: the server did it, the process never hears. A connection that
   * lost some is reset when the link heals, for what follows would be taken for the lost ones.
   */
  muteReplies(): Promise<void>;
  heal(): Promise<void>;
  /** How many are open now. */
  connections(): number;
  close(): Promise<void>;
}

type Condition = "open" | "cut" | "blackhole" | "slow" | "muted";

interface Line {
  readonly downstream: Socket;
  /** Undefined while the network is a hole: the server does not see who cannot reach it. */
  upstream: Socket | undefined;
  lanes: { readonly requests: Lane; readonly replies: Lane } | undefined;
}

/** @param targetUrl of anything that speaks TCP, with its port; the rest of it is kept */
export async function startLink(targetUrl: string): Promise<NetworkLink> {
  const target = new URL(targetUrl);
  const port = await findFreePort();
  const lines = new Set<Line>();
  let condition: Condition = "open";
  let delayMs = 0;

  function flows(): { readonly requests: Flow; readonly replies: Flow } {
    const passing: Flow = { kind: "passing", delayMs };
    if (condition === "blackhole")
      return { requests: { kind: "stopped" }, replies: { kind: "stopped" } };
    return { requests: passing, replies: condition === "muted" ? { kind: "losing" } : passing };
  }

  function reset({ downstream, upstream }: Line): void {
    downstream.resetAndDestroy();
    upstream?.resetAndDestroy();
  }

  function leaveIfClosed(line: Line): void {
    if (line.downstream.destroyed && line.upstream?.destroyed !== false) lines.delete(line);
  }

  function dial(line: Line): void {
    const { downstream } = line;
    const upstream = connect({
      port: Number(target.port),
      host: target.hostname,
      noDelay: true,
      allowHalfOpen: true,
    });
    line.upstream = upstream;
    // Refused or reset by the server: its client is to see the same.
    upstream.on("error", () => downstream.resetAndDestroy());
    upstream.on("close", () => leaveIfClosed(line));
    const { requests, replies } = flows();
    line.lanes = {
      requests: createLane(downstream, upstream, requests),
      replies: createLane(upstream, downstream, replies),
    };
  }

  function accept(downstream: Socket): void {
    const line: Line = { downstream, upstream: undefined, lanes: undefined };
    lines.add(line);
    // A process that was killed resets its connections; the lane passes the end of it on.
    downstream.on("error", () => {});
    downstream.on("close", () => leaveIfClosed(line));
    if (condition !== "blackhole") dial(line);
  }

  const listen = async (): Promise<ReturnType<typeof createServer>> => {
    const opened = createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
      accept,
    );
    opened.listen(port, "127.0.0.1");
    await once(opened, "listening");
    return opened;
  };
  let server: Awaited<ReturnType<typeof listen>> | undefined = await listen();

  function stopListening(): void {
    server?.close();
    server = undefined;
  }

  async function change(next: Condition, nextDelayMs = 0): Promise<void> {
    condition = next;
    delayMs = nextDelayMs;
    const { requests, replies } = flows();
    for (const line of lines) {
      if (line.lanes?.replies.hasLost() === true && next !== "muted") reset(line);
      else if (line.lanes === undefined && next !== "blackhole") dial(line);
      line.lanes?.requests.set(requests);
      line.lanes?.replies.set(replies);
    }
    server ??= await listen();
  }

  return {
    url: Object.assign(new URL(targetUrl), { hostname: "127.0.0.1", port: String(port) }).href,
    cut() {
      condition = "cut";
      stopListening();
      lines.forEach(reset);
    },
    blackhole: async () => await change("blackhole"),
    delay: async (ms) => await change("slow", ms),
    muteReplies: async () => await change("muted"),
    heal: async () => await change("open"),
    connections: () => lines.size,
    async close() {
      stopListening();
      lines.forEach(reset);
      await Promise.all([...lines].map(async (line) => await closed(line)));
    },
  };
}

async function closed({ downstream, upstream }: Line): Promise<void> {
  if (!downstream.closed) await once(downstream, "close");
  if (upstream !== undefined && !upstream.closed) await once(upstream, "close");
}
