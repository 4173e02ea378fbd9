/** Keys: made once, kept private, and of the form that browsers and token libraries want. */
import { createECDH } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadDevelopmentKeys } from "../../src/platform/development-keys.ts";
import {
  makeEncryptionKey,
  makeJwtSecret,
  makeVapidPair,
} from "../../src/platform/key-material.ts";

describe("loadDevelopmentKeys", () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = path.join(await mkdtemp(path.join(tmpdir(), "schoolbell-keys-")), "data");
  });
  afterEach(async () => {
    await rm(path.dirname(dataDir), { recursive: true, force: true });
  });

  it("gives the same keys at every start, so that tokens and subscriptions stay valid", async () => {
    const first = await loadDevelopmentKeys(dataDir);
    expect(await loadDevelopmentKeys(dataDir)).toEqual(first);
  });

  it("gives processes that start together the same keys", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => loadDevelopmentKeys(dataDir)));
    expect(new Set(all.map((keys) => keys.jwtSecret)).size).toBe(1);
  });

  it("keeps them from other users of the machine", async () => {
    await loadDevelopmentKeys(dataDir);
    const { mode } = await stat(path.join(dataDir, "development-keys.json"));
    expect(mode & 0o077).toBe(0);
  });

  it("names the file when it is damaged, and does not overwrite it", async () => {
    await loadDevelopmentKeys(dataDir);
    const file = path.join(dataDir, "development-keys.json");
    await writeFile(file, "{");
    await expect(loadDevelopmentKeys(dataDir)).rejects.toThrow(file);
  });
});

describe("new keys", () => {
  it("are VAPID pairs that belong together and have full length", () => {
    // About one scalar in 256 begins with a zero byte, which must not be lost.
    for (let count = 0; count < 1_000; count += 1) {
      const { publicKey, privateKey } = makeVapidPair();
      const scalar = Buffer.from(privateKey, "base64url");
      expect(scalar).toHaveLength(32);
      const curve = createECDH("prime256v1");
      curve.setPrivateKey(scalar);
      expect(curve.getPublicKey("base64url", "uncompressed")).toBe(publicKey);
    }
  });

  it("are secrets without the comma that separates several", () => {
    expect(makeJwtSecret()).toMatch(/^[A-Za-z0-9_-]{64}$/);
  });

  it("are storage keys of 32 bytes", () => {
    expect(Buffer.from(makeEncryptionKey(), "base64")).toHaveLength(32);
  });
});
