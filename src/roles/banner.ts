/** What a person sees when the product has started: one address and something to paste. */
import { createTokenSigner } from "../auth/token-signer.ts";
import type { Config } from "../platform/config-schema.ts";
import type { Secrets } from "./foundation.ts";

const TOKEN_SECONDS = 8 * 3_600;

function eventsOf({ KAFKA_BOOTSTRAP_SERVERS: servers }: Config): string {
  return servers === undefined ? "off (no Kafka is set)" : `from Kafka at ${servers.join(",")}`;
}

export async function banner(options: {
  readonly url: string;
  readonly config: Config;
  readonly secrets: Secrets;
}): Promise<string> {
  const { url, config, secrets } = options;
  const running = `Schoolbell is running (${config.ROLES.join(", ")}) at ${url}`;
  const [secret] = secrets.jwtSecrets;
  const tryable = config.NODE_ENV !== "production" && config.ROLES.includes("api");
  if (!tryable || secret === undefined) return running;
  const signer = createTokenSigner(secret, {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
  });
  const token = await signer.sign({
    userId: "service-demo",
    scopes: ["notify:send"],
    ttlSeconds: TOKEN_SECONDS,
  });
  const body = JSON.stringify({
    user_id: "teacher-1",
    template_id: "announcement",
    data: { title: "Good morning", body: "The first bell rings at eight." },
  });
  return [
    "",
    `  ${running}`,
    "",
    `  Open ${url}/ in a browser, sign in as teacher-1, and paste this in another terminal:`,
    "",
    `  curl -s ${url}/notify \\`,
    `    -H 'Authorization: Bearer ${token}' \\`,
    "    -H 'Content-Type: application/json' -H 'Prefer: wait=5' \\",
    `    -d '${body}'`,
    "",
    `  API: ${url}/docs   Health: ${url}/health   Events: ${eventsOf(config)}   Stop: Ctrl-C`,
    "",
  ].join("\n");
}
