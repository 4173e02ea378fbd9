/** `npm run token`: signs a token for trying things out and for services without an identity provider. */
import { createTokenSigner } from "../auth/token-signer.ts";
import { configSchema } from "../platform/config-schema.ts";
import { loadDevelopmentKeys } from "../platform/development-keys.ts";
import { parseTokenArguments, TOKEN_USAGE } from "./token-arguments.ts";

/** The few variables that matter here: an operator's desk need not have the rest. */
const environmentSchema = configSchema.pick({
  NODE_ENV: true,
  JWT_SECRET_KEY: true,
  DATA_DIR: true,
});

const EXIT_WRONG_USE = 2;

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseTokenArguments(args);
  switch (parsed.kind) {
    case "help":
      process.stdout.write(TOKEN_USAGE);
      return 0;
    case "wrong":
      process.stderr.write(`${parsed.message}\n\n${TOKEN_USAGE}`);
      return EXIT_WRONG_USE;
    case "request": {
      const secret = await findSecret();
      if (secret === undefined) {
        process.stderr.write(
          "In production JWT_SECRET_KEY must be set (npm run keys makes one).\n",
        );
        return EXIT_WRONG_USE;
      }
      const token = await createTokenSigner(secret).sign(parsed.request);
      process.stdout.write(`${token}\n`);
      return 0;
    }
  }
}

async function findSecret(): Promise<string | undefined> {
  const given = Object.entries(process.env).filter(([, value]) => value?.trim() !== "");
  const environment = environmentSchema.parse(Object.fromEntries(given));
  // The first of several signs; the others only verify what was signed before a rotation.
  const [secret] = environment.JWT_SECRET_KEY ?? [];
  if (secret !== undefined || environment.NODE_ENV === "production") return secret;
  return (await loadDevelopmentKeys(environment.DATA_DIR)).jwtSecret;
}

process.exitCode = await run(process.argv.slice(2));
