/** `npm run keys`: makes the secrets of a new installation, as lines for its environment file. */
import { parseArgs } from "node:util";
import { makeEncryptionKey, makeJwtSecret, makeVapidPair } from "../platform/key-material.ts";

const USAGE = `npm run keys

Prints new secrets, one NAME=value a line, and keeps no copy. Into a file that only you can read:

  umask 077 && npm run --silent keys >> .env

  JWT_SECRET_KEY        signs and verifies tokens (HS256)
  VAPID_PUBLIC_KEY      identifies this sender to the browsers' push services;
  VAPID_PRIVATE_KEY     a new pair makes every existing push subscription useless
  DATA_ENCRYPTION_KEY   encrypts stored requests and addresses; without it they cannot be read
`;

function run(args: string[]): number {
  let help: boolean | undefined;
  try {
    help = parseArgs({ args, options: { help: { type: "boolean", short: "h" } } }).values.help;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const vapid = makeVapidPair();
  process.stdout.write(
    [
      `JWT_SECRET_KEY=${makeJwtSecret()}`,
      `VAPID_PUBLIC_KEY=${vapid.publicKey}`,
      `VAPID_PRIVATE_KEY=${vapid.privateKey}`,
      `DATA_ENCRYPTION_KEY=${makeEncryptionKey()}`,
      "",
    ].join("\n"),
  );
  return 0;
}

process.exitCode = run(process.argv.slice(2));
