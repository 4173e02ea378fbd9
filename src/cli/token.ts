/** `npm run token`: signs a token for trying things out and for services without an identity provider. */
import type { z } from "zod";
import { createTokenSigner } from "../auth/token-signer.ts";
import { configSchema } from "../platform/config-schema.ts";
import { ConfigError, parseVariables } from "../platform/config.ts";
import { loadDevelopmentKeys } from "../platform/development-keys.ts";
import { parseTokenArguments, TOKEN_USAGE, type TokenRequest } from "./token-arguments.ts";

/** The few variables that matter here: an operator's desk need not have the rest. */
const environmentSchema = configSchema.pick({
  NODE_ENV: true,
  JWT_SECRET_KEY: true,
  JWT_ISSUER: true,
  JWT_AUDIENCE: true,
  DATA_DIR: true,
});

type Environment = z.infer<typeof environmentSchema>;

const EXIT_WRONG_USE = 2;

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseTokenArguments(args);
  if (parsed.kind === "request") return await printToken(parsed.request);
  if (parsed.kind === "help") {
    process.stdout.write(TOKEN_USAGE);
    return 0;
  }
  process.stderr.write(`${parsed.message}\n\n${TOKEN_USAGE}`);
  return EXIT_WRONG_USE;
}

async function printToken(request: TokenRequest): Promise<number> {
  const environment = parseVariables(environmentSchema, process.env);
  const secret = await findSecret(environment);
  if (secret === undefined) {
    process.stderr.write("In production JWT_SECRET_KEY must be set (npm run keys makes one).\n");
    return EXIT_WRONG_USE;
  }
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = environment;
  const token = await createTokenSigner(secret, { issuer, audience }).sign(request);
  process.stdout.write(`${token}\n`);
  return 0;
}

/** The first of several secrets signs; the others only verify what was signed before a rotation. */
async function findSecret(environment: Environment): Promise<string | undefined> {
  const [secret] = environment.JWT_SECRET_KEY ?? [];
  if (secret !== undefined || environment.NODE_ENV === "production") return secret;
  return (await loadDevelopmentKeys(environment.DATA_DIR)).jwtSecret;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_WRONG_USE;
}
