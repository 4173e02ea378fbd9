/** Keys for development: made on the first start, kept in the data folder, the same ever after. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ConfigError } from "./config.ts";
import { inDataDir } from "./data-dir.ts";
import { makeJwtSecret, makeVapidPair } from "./key-material.ts";

const FILE = "development-keys.json";
const OWNER_ONLY = 0o600;

const keysSchema = z.object({
  jwtSecret: z.string().min(32),
  vapidPublicKey: z.string().min(1),
  vapidPrivateKey: z.string().min(1),
});

export type DevelopmentKeys = Readonly<z.infer<typeof keysSchema>>;

/**
 * Reads the keys of `dataDir`, or makes them, in a file that only its owner may read.
 * @throws ConfigError if the folder cannot be used, or the file is not what was written
 */
export async function loadDevelopmentKeys(dataDir: string): Promise<DevelopmentKeys> {
  return await inDataDir(dataDir, () => readOrMake(dataDir));
}

async function readOrMake(dataDir: string): Promise<DevelopmentKeys> {
  const file = path.join(dataDir, FILE);
  const existing = await readKeys(file);
  if (existing !== undefined) return existing;

  const pair = makeVapidPair();
  const fresh: DevelopmentKeys = {
    jwtSecret: makeJwtSecret(),
    vapidPublicKey: pair.publicKey,
    vapidPrivateKey: pair.privateKey,
  };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(fresh, null, 2)}\n`, { mode: OWNER_ONLY });
  try {
    // Unlike a rename, a link fails if another process was first; then its keys are the keys.
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readKeys(file)) ?? fresh;
}

async function readKeys(file: string): Promise<DevelopmentKeys | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return keysSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ConfigError(`${file} is damaged: delete it to have new keys made`, { cause: error });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
