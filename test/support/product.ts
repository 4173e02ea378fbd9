/** The whole product in this process, on the run's real Redis, with a corner of it to itself. */
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import type { FormatRange } from "../../src/contract/versions.ts";
import { readConfig } from "../../src/platform/config.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createResources } from "../../src/platform/resources.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { openFoundation, type Foundation } from "../../src/roles/foundation.ts";
import { openFrontDoor } from "../../src/roles/front-door.ts";
import { startRoles } from "../../src/roles/start.ts";
import { openTestRedis, type Corner } from "./redis.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests read answers as a user of the API would: by the documented names.
  readonly body: Record<string, unknown>;
}

export interface Product {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly vapidPublicKey: string;
  readonly foundation: Foundation;
  readonly store: Corner;
  /** A token of this user; a service that may send anything unless told. */
  token(userId: string, scopes?: readonly string[]): Promise<string>;
  /** Calls the API. `as` is a token; left out: one of a service that may send. */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; as?: string; headers?: Record<string, string>; raw?: string },
  ): Promise<Answer>;
  /** `POST /notify` with `Prefer: wait=10`. */
  notify(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

const SECRET = "a-secret-for-tests-that-is-long-enough-for-hs256";
const STOP_DEADLINE_MS = 10_000;
/** The processes of an installation have the same. */
const vapid = makeVapidPair();
const SENDER_SCOPES = ["notify:send", "notify:send:critical", "analytics:read"];

/**
 * Starts every role unless `env` says otherwise. `store` lets several products share their data;
 * `formats` makes it one of a version to come.
 */
export async function startProduct(
  env: Readonly<Record<string, string>> = {},
  store?: Corner,
  formats?: FormatRange,
): Promise<Product> {
  const corner = store ?? (await openTestRedis());
  const config = readConfig({
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    REDIS_URL: corner.url,
    KEY_PREFIX: corner.prefix,
    SHARDS: String(corner.keyspace.shards),
    RATE_LIMITS: "off",
    ...env,
  });
  const resources = createResources();
  const foundation = await openFoundation({
    config,
    resources,
    secrets: { jwtSecrets: [SECRET], vapid },
    redisUrl: corner.url,
    logger: createSilentLogger(),
    ...(formats === undefined ? {} : { formats }),
    onFatal(error) {
      throw error;
    },
  });
  const door = await openFrontDoor({ config, version: "test", resources });
  await startRoles(foundation, door);
  const { url } = door;
  const signer = createTokenSigner(SECRET);
  const token = (userId: string, scopes: readonly string[] = SENDER_SCOPES): Promise<string> =>
    signer.sign({ userId, scopes, ttlSeconds: 3_600 });

  const call: Product["call"] = async (method, path, options = {}) => {
    const authorization = options.as ?? (await token("service-under-test"));
    const body = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === null ? {} : { body }),
      headers: {
        ...(authorization === "" ? {} : { authorization: `Bearer ${authorization}` }),
        ...(body === null ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>), // an API's JSON object
    };
  };

  return {
    url,
    webSocketUrl: url.replace(/^http/, "ws"),
    vapidPublicKey: vapid.publicKey,
    foundation,
    store: corner,
    token,
    call,
    notify: (body, headers = {}) =>
      call("POST", "/notify", { body, headers: { prefer: "wait=10", ...headers } }),
    async stop() {
      const failures = await resources.close(STOP_DEADLINE_MS);
      if (store === undefined) await corner.close();
      if (failures.length > 0) throw new Error(JSON.stringify(failures));
    },
  };
}
