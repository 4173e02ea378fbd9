/** Connects to an SMS provider, and says of a failure that nothing of a request was written yet. */
import { buildConnector } from "undici";
import { NotConnected } from "./errors.ts";

/** Everything that goes wrong before there is a connection, TLS included, is `NotConnected`. */
export function markingConnector(timeoutMs: number): buildConnector.connector {
  const connector = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    connector(options, (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(new NotConnected("no connection to the provider", { cause: error }), null);
    });
  };
}
