/**
 * Listens from the first moment: a supervisor sees a living process while Redis is still awaited,
 * and callers a 503 instead of a refused connection. Once the roles are up they answer.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { unreadableHealth } from "../http/health.ts";
import { problemDocument, PROBLEM_TYPE } from "../http/problem.ts";
import type { HttpServer } from "../http/server.ts";
import type { Config } from "../platform/config-schema.ts";
import { Problem } from "../platform/problems.ts";
import type { Resources } from "../platform/resources.ts";
import { addressOf, openListeners } from "./listeners.ts";

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface FrontDoor {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** From now on requests and sockets go to the product. */
  open(app: RequestListener, upgrade: UpgradeListener | undefined): void;
  /** Lets requests in flight finish, then cuts what is left. */
  close(): Promise<void>;
}

const RETRY_SECONDS = 1;

function answerWhileStarting(version: string): RequestListener {
  const send = (res: ServerResponse, status: number, type: string, body: unknown): void => {
    res.writeHead(status, { "content-type": type, "retry-after": String(RETRY_SECONDS) });
    res.end(JSON.stringify(body));
  };
  return (req, res) => {
    req.resume();
    const [path] = (req.url ?? "").split("?", 1);
    if (path === "/health/live") return send(res, 200, "application/json", { live: true });
    if (path === "/health") {
      return send(res, 200, "application/json", unreadableHealth(version, Date.now()));
    }
    const problem = new Problem("unavailable", "This process is starting, or waits for Redis.");
    send(res, problem.status, PROBLEM_TYPE, problemDocument(problem, crypto.randomUUID()));
  };
}

const refuseUpgrade: UpgradeListener = (_request, socket) => {
  socket.end(`HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${RETRY_SECONDS}\r\n\r\n`);
};

/** @throws ConfigError if an address cannot be had. */
export async function openFrontDoor(options: {
  readonly config: Config;
  readonly version: string;
  readonly resources: Resources;
}): Promise<FrontDoor> {
  const { config, resources } = options;
  let answer = answerWhileStarting(options.version);
  let upgrade: UpgradeListener = refuseUpgrade;
  const servers: HttpServer[] = await openListeners(
    config,
    (req, res) => answer(req, res),
    (request, socket, head) => upgrade(request, socket, head),
  );
  const door: FrontDoor = {
    url: addressOf(config, servers[0]?.port ?? config.PORT),
    open(app, upgradeListener) {
      answer = app;
      upgrade = upgradeListener ?? refuseUpgrade;
    },
    async close() {
      await Promise.all(servers.map((server) => server.close(config.SHUTDOWN_DEADLINE_MS)));
    },
  };
  resources.add("front door", () => door.close());
  return door;
}
