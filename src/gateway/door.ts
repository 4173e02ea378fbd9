/** The door: who may open a socket here. Whoever may not is told by a close code. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Caller } from "../contract/caller.ts";
import type { Logger } from "../platform/logger.ts";
import { CLOSE_CODES } from "./close-codes.ts";
import {
  authenticate,
  isOriginAllowed,
  readSocketRequest,
  refuseUpgrade,
  type Refusal,
  type SocketRequest,
} from "./upgrade.ts";

/** Clients only send acks and pongs. */
const MAX_INBOUND_BYTES = 4 * 1024;

/** How long a close may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface Visitor {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly caller: Caller;
  readonly asked: SocketRequest;
}

export interface Door {
  /** For the `upgrade` event of an HTTP server. */
  handleUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

export interface DoorDeps {
  readonly verify: (token: string) => Promise<Caller>;
  readonly allowedOrigins: readonly string[];
  /** Why no socket can be opened now, if `opening` others are on their way in. */
  readonly admission: (opening: number) => Refusal | undefined;
  /** Why this user can have no further socket. */
  readonly limitOf: (userId: string) => Refusal | undefined;
  readonly onVisitor: (visitor: Visitor) => void;
  /** Hears of requests whose token was refused. */
  readonly onUnauthorized: ((request: IncomingMessage) => void) | undefined;
  readonly log: Logger;
}

export function createDoor(deps: DoorDeps): Door {
  const { verify, allowedOrigins, admission, limitOf, onVisitor, onUnauthorized, log } = deps;
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const server = new WebSocketServer(options);
  let opening = 0;

  async function identify(token: string | undefined): Promise<Caller | Refusal> {
    const refusal = admission(opening);
    if (refusal !== undefined) return refusal;
    opening += 1;
    const outcome = await authenticate(verify, token);
    opening -= 1;
    return outcome;
  }

  async function open(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const asked = readSocketRequest(request);
    if (asked === undefined) return refuseUpgrade(stream, "404 Not Found");
    if (!isOriginAllowed(request.headers.origin, allowedOrigins)) {
      return refuseUpgrade(stream, "403 Forbidden");
    }
    const outcome = await identify(asked.token);
    // Accepted even to be refused: a browser sees no other sign than a close code.
    server.handleUpgrade(request, stream, head, (socket) => {
      socket.on("error", (error) => log.debug({ err: error }, "a socket failed"));
      const refusal =
        "userId" in outcome ? (admission(opening) ?? limitOf(outcome.userId)) : outcome;
      if (refusal !== undefined) {
        if (refusal.kind === "unauthorized") onUnauthorized?.(request);
        socket.close(CLOSE_CODES[refusal.kind].code, refusal.reason);
      } else if ("userId" in outcome) {
        onVisitor({ socket, stream, caller: outcome, asked });
      }
    });
  }

  return {
    handleUpgrade(request, stream, head) {
      stream.on("error", () => stream.destroy());
      open(request, stream, head).catch((error: unknown) => {
        log.error({ err: error }, "a socket could not be opened");
        stream.destroy();
      });
    },
  };
}
