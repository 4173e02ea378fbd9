/** The door: who may open a socket here. Whoever may not is told by a close code. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Caller } from "../contract/caller.ts";
import type { GoingAwayFrame } from "../contract/frames.ts";
import type { Logger } from "../platform/logger.ts";
import { ClientSocket } from "./client-socket.ts";
import { CLOSE_CODES } from "./close-codes.ts";
import {
  addressOf,
  authenticate,
  isOriginAllowed,
  readSocketRequest,
  refuseUpgrade,
  type Credential,
  type Doorkeeper,
  type Refusal,
  type SocketRequest,
} from "./upgrade.ts";

/** Clients only send acks and pongs. */
const MAX_INBOUND_BYTES = 4 * 1024;

/** How long a close may take before the connection is cut. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface Visitor {
  readonly socket: ClientSocket;
  readonly stream: Duplex;
  readonly caller: Caller;
  readonly asked: SocketRequest;
}

export interface Door {
  /** For the `upgrade` event of an HTTP server. */
  handleUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

/** Remembers which addresses keep presenting tokens that do not verify. */
export interface FailedLogins {
  record(ip: string): void;
  /** Whole seconds for which this address is held back; 0 if it is not. */
  blockedForSeconds(ip: string): number;
}

export interface DoorDeps extends Doorkeeper {
  readonly allowedOrigins: readonly string[];
  /** Why no socket can be opened now, if `opening` others are on their way in. */
  readonly admission: (opening: number) => Refusal | undefined;
  /** Why this user can have no further socket. */
  readonly limitOf: (userId: string) => Refusal | undefined;
  /** What a visitor is told who comes during a stop. */
  readonly goingAway: () => GoingAwayFrame;
  readonly onVisitor: (visitor: Visitor) => void;
  readonly failedLogins: FailedLogins | undefined;
  readonly trustedProxies: number;
  readonly log: Logger;
}

export function createDoor(deps: DoorDeps): Door {
  const { allowedOrigins, admission, limitOf, goingAway, onVisitor, log } = deps;
  const options = {
    noServer: true,
    WebSocket: ClientSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_INBOUND_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const server = new WebSocketServer(options);
  let opening = 0;

  // Not written where a socket is let in: there it would keep the whole request for as long.
  const onSocketError = (error: Error): void => log.debug({ err: error }, "a socket failed");

  async function identify(credential: Credential): Promise<Caller | Refusal> {
    const refusal = admission(opening);
    if (refusal !== undefined) return refusal;
    opening += 1;
    const outcome = await authenticate(deps, credential);
    opening -= 1;
    return outcome;
  }

  /** Only refusals are held back: a whole school may sit behind the address of one bad client. */
  function heldBack(refusal: Refusal, request: IncomingMessage): Refusal {
    const { failedLogins, trustedProxies } = deps;
    if (refusal.kind !== "unauthorized" || failedLogins === undefined) return refusal;
    const ip = addressOf(request, trustedProxies);
    const blocked = failedLogins.blockedForSeconds(ip) > 0;
    failedLogins.record(ip);
    return blocked ? { kind: "try_later", reason: "too many tokens did not verify" } : refusal;
  }

  async function open(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const asked = readSocketRequest(request);
    if (asked === undefined) return refuseUpgrade(stream, "404 Not Found");
    if (!isOriginAllowed(request.headers.origin, allowedOrigins)) {
      return refuseUpgrade(stream, "403 Forbidden");
    }
    const outcome = await identify(asked.credential);
    // From here on the WebSocket hears of the stream's errors.
    stream.off("error", destroyItself);
    // Accepted even to be refused: a browser sees no other sign than a close code.
    server.handleUpgrade(request, stream, head, (socket) => {
      socket.on("error", onSocketError);
      const refusal =
        "userId" in outcome ? (admission(opening) ?? limitOf(outcome.userId)) : outcome;
      if (refusal !== undefined) {
        const { kind, reason } = heldBack(refusal, request);
        // A load balancer may send some for a while yet, all of whom would come back at once.
        if (kind === "going_away") socket.send(JSON.stringify(goingAway()));
        socket.close(CLOSE_CODES[kind].code, reason);
      } else if ("userId" in outcome) {
        onVisitor({ socket, stream, caller: outcome, asked });
      }
    });
  }

  return {
    handleUpgrade(request, stream, head) {
      stream.on("error", destroyItself);
      open(request, stream, head).catch((error: unknown) => {
        log.error({ err: error }, "a socket could not be opened");
        stream.destroy();
      });
    },
  };
}

function destroyItself(this: Duplex): void {
  this.destroy();
}
