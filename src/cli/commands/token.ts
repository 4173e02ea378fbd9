/** `token`: signs a token for trying things out and for services without an identity provider. */
import type { Command } from "commander";
import type { z } from "zod";
import { createTokenSigner } from "../../auth/token-signer.ts";
import { FAMILIES } from "../../contract/vocabulary.ts";
import { configSchema } from "../../platform/config-schema.ts";
import { ConfigError, parseVariables } from "../../platform/config.ts";
import { loadDevelopmentKeys } from "../../platform/development-keys.ts";
import { newCommand } from "../run-command.ts";
import { readTokenRequest, type TokenOptions } from "../token-request.ts";

/** The few variables that matter here: an operator's desk need not have the rest. */
const environmentSchema = configSchema.pick({
  NODE_ENV: true,
  JWT_SECRET_KEY: true,
  JWT_ISSUER: true,
  JWT_AUDIENCE: true,
  DATA_DIR: true,
});

type Environment = z.infer<typeof environmentSchema>;

const EXAMPLE = `
  npm run token -- --user teacher_1 --scope "notify:send analytics:read" --ttl 8h`;

export function tokenCommand(name = "token"): Command {
  return newCommand(name)
    .summary("sign a token for a user or a service")
    .description(
      "Prints a token, signed with JWT_SECRET_KEY or, in development, the key made at first start.",
    )
    .option("--user <id>", "whose token it is: 1 to 128 letters, digits or . _ @ -")
    .option(
      "--scope <scopes>",
      "what it may do besides reading that user's own things, separated by spaces: notify:send, " +
        `notify:send:<family> (${FAMILIES.join(", ")}), notify:send:critical, analytics:read, admin`,
    )
    .option(
      "--ttl <time>",
      "how long it is valid: a whole number and s, m, h or d; at most 366d",
      "1h",
    )
    .addHelpText("after", EXAMPLE)
    .action(printToken);
}

async function printToken(options: TokenOptions): Promise<void> {
  const request = readTokenRequest(options);
  const environment = parseVariables(environmentSchema, process.env);
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = environment;
  const signer = createTokenSigner(await findSecret(environment), { issuer, audience });
  process.stdout.write(`${await signer.sign(request)}\n`);
}

/** The first of several secrets signs; the others only verify what was signed before a rotation. */
async function findSecret(environment: Environment): Promise<string> {
  const [secret] = environment.JWT_SECRET_KEY ?? [];
  if (secret !== undefined) return secret;
  if (environment.NODE_ENV === "production") {
    throw new ConfigError("In production JWT_SECRET_KEY must be set (npm run keys makes one).");
  }
  return (await loadDevelopmentKeys(environment.DATA_DIR)).jwtSecret;
}
