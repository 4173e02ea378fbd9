/** Opens the addresses that the roles of this process are reached at. */
import type { IncomingMessage, RequestListener } from "node:http";
import type { Duplex } from "node:stream";
import { listen, type HttpServer } from "../http/server.ts";
import type { Config } from "../platform/config-schema.ts";
import { ConfigError } from "../platform/config.ts";

function defaultHost(environment: string): string {
  return environment === "production" ? "0.0.0.0" : "127.0.0.1";
}

/** What a person can open: an address that means "all" is this machine to them. */
function hostOf(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "127.0.0.1") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** The address to show to people. */
export function addressOf(config: Config, port: number): string {
  return `http://${hostOf(config.HOST ?? defaultHost(config.NODE_ENV))}:${port}`;
}

/** What the system says about an address, in terms of the settings. */
function addressFault(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return new ConfigError(`PORT ${port} is in use on ${host}; set PORT to another one`);
    case "EACCES":
      return new ConfigError(`PORT ${port} may not be listened on; choose one above 1023`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ConfigError(`HOST ${host} is not an address of this machine`);
    default:
      return error;
  }
}

/**
 * Listens on `PORT`, and on `WS_PORT` with the same routes.
 * @throws ConfigError if an address cannot be had.
 */
export async function openListeners(
  config: Config,
  app: RequestListener,
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<HttpServer[]> {
  const host = config.HOST ?? defaultHost(config.NODE_ENV);
  const ports = config.WS_PORT === undefined ? [config.PORT] : [config.PORT, config.WS_PORT];
  const servers: HttpServer[] = [];
  for (const port of ports) {
    const server = await listen(app, { host, port }).catch((error: unknown) => {
      throw addressFault(error, host, port);
    });
    server.server.on("upgrade", upgrade);
    servers.push(server);
  }
  return servers;
}
