/** `keys`: makes the secrets of a new installation, as lines for its environment file. */
import type { Command } from "commander";
import { makeEncryptionKey, makeJwtSecret, makeVapidPair } from "../../platform/key-material.ts";
import { newCommand } from "../run-command.ts";

const DESCRIPTION = `Prints new secrets, one NAME=value a line, and keeps no copy.`;

const MORE = `
Into a file that only you can read:

  umask 077 && npm run --silent keys >> .env

  JWT_SECRET_KEY        signs and verifies tokens (HS256)
  VAPID_PUBLIC_KEY      identifies this sender to the browsers' push services;
  VAPID_PRIVATE_KEY     a new pair makes every existing push subscription useless
  DATA_ENCRYPTION_KEY   encrypts stored requests and addresses; without it they cannot be read`;

export function keysCommand(name = "keys"): Command {
  return newCommand(name)
    .summary("make the secrets of a new installation")
    .description(DESCRIPTION)
    .addHelpText("after", MORE)
    .action(() => {
      const vapid = makeVapidPair();
      const lines = [
        `JWT_SECRET_KEY=${makeJwtSecret()}`,
        `VAPID_PUBLIC_KEY=${vapid.publicKey}`,
        `VAPID_PRIVATE_KEY=${vapid.privateKey}`,
        `DATA_ENCRYPTION_KEY=${makeEncryptionKey()}`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
}
