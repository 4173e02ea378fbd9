/** Listens, and stops listening within a deadline. The WebSocket upgrade hangs on `server`. */
import { createServer, type RequestListener, type Server } from "node:http";

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface HttpServer {
  readonly server: Server;
  /** The port that is really listened on. */
  readonly port: number;
  /**
   * Takes no new connections, lets requests in flight finish, then cuts what is left after
   * `deadlineMs`. Upgraded sockets are the gateway's to close.
   */
  close(deadlineMs: number): Promise<void>;
}

/** A client that takes longer to send its headers or its whole request is cut off. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than the usual 60 s of a load balancer, so that it is never the server that hangs up first. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1_024;
const IDLE_SWEEP_MS = 50;

/** @throws Error of the system when the address cannot be listened on (`EADDRINUSE`, `EACCES`). */
export async function listen(app: RequestListener, options: ListenOptions): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    },
    app,
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return { server, port, close: (deadlineMs) => close(server, deadlineMs) };
}

async function close(server: Server, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  let sweep: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    // A connection turns idle when its last answer is out; nobody else would close it then.
    sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    server.closeIdleConnections();
    deadline = setTimeout(() => {
      server.closeAllConnections();
      resolve();
    }, deadlineMs);
  });
  clearInterval(sweep);
  clearTimeout(deadline);
}
