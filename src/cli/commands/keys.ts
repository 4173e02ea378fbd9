/** `keys`: makes the secrets of a new installation, or what a change of the push keys needs, as lines for .env. */
import type { Command } from "commander";
import { assertVapidKeys } from "../../channels/push/settings.ts";
import { configSchema } from "../../platform/config-schema.ts";
import { ConfigError, parseVariables } from "../../platform/config.ts";
import { makeEncryptionKey, makeJwtSecret, makeVapidPair } from "../../platform/key-material.ts";
import { newCommand } from "../run-command.ts";

const DESCRIPTION = `Prints new secrets, one NAME=value a line, and keeps no copy.`;

const MORE = `
Into a file that only you can read:

  umask 077 && npm run --silent keys >> .env

  JWT_SECRET_KEY        signs and verifies tokens (HS256)
  VAPID_PUBLIC_KEY      identifies this sender to the browsers' push services;
  VAPID_PRIVATE_KEY     a browser takes messages only from the pair it subscribed with
  DATA_ENCRYPTION_KEY   encrypts stored requests and addresses; without it they cannot be read

To change the push keys (docs/OPERATIONS.md, "Rotating the push keys"), which prints a new pair, and
the present one as the first of VAPID_PREVIOUS_KEYS, to stand in place of what is there:

  npm run --silent keys -- --rotate-vapid`;

/** Lines that replace those of the environment: a new pair, and the present one behind it. */
function rotatedVapid(env: NodeJS.ProcessEnv): string[] {
  const config = parseVariables(
    configSchema.pick({
      VAPID_PUBLIC_KEY: true,
      VAPID_PRIVATE_KEY: true,
      VAPID_PREVIOUS_KEYS: true,
    }),
    env,
  );
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey } = config;
  if (publicKey === undefined || privateKey === undefined) {
    throw new ConfigError(
      "VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not set here, so there is no pair to rotate",
    );
  }
  const present = { publicKey, privateKey };
  assertVapidKeys(present, config.VAPID_PREVIOUS_KEYS);
  const next = makeVapidPair();
  const previous = [present, ...config.VAPID_PREVIOUS_KEYS].map(
    (pair) => `${pair.publicKey}:${pair.privateKey}`,
  );
  return [
    `VAPID_PUBLIC_KEY=${next.publicKey}`,
    `VAPID_PRIVATE_KEY=${next.privateKey}`,
    `VAPID_PREVIOUS_KEYS=${previous.join(",")}`,
  ];
}

function newSecrets(): string[] {
  const vapid = makeVapidPair();
  return [
    `JWT_SECRET_KEY=${makeJwtSecret()}`,
    `VAPID_PUBLIC_KEY=${vapid.publicKey}`,
    `VAPID_PRIVATE_KEY=${vapid.privateKey}`,
    `DATA_ENCRYPTION_KEY=${makeEncryptionKey()}`,
  ];
}

export function keysCommand(name = "keys"): Command {
  return newCommand(name)
    .summary("make the secrets of a new installation, or a new pair of push keys")
    .description(DESCRIPTION)
    .option("--rotate-vapid", "only a new pair of push keys, with the present one kept behind it")
    .addHelpText("after", MORE)
    .action(({ rotateVapid }: { rotateVapid?: true }) => {
      const lines = rotateVapid === true ? rotatedVapid(process.env) : newSecrets();
      process.stdout.write(`${lines.join("\n")}\n`);
    });
}
