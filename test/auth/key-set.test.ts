/** Tokens signed with private keys whose public halves are published as a key set. */
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTokenVerifier, type TokenVerifier } from "../../src/auth/tokens.ts";
import { listen, type HttpServer } from "../../src/http/server.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";

const ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
const exp = Math.floor(Date.now() / 1_000) + 600;

let published: HttpServer;
let url: string;
const privateKeys = new Map<string, CryptoKey>();
let rsaPublicPem: string;

beforeAll(async () => {
  const keys: object[] = [];
  for (const alg of ALGORITHMS) {
    const pair = await generateKeyPair(alg);
    privateKeys.set(alg, pair.privateKey);
    keys.push({ ...(await exportJWK(pair.publicKey)), kid: `key-${alg}`, alg, use: "sig" });
    if (alg === "RS256") rsaPublicPem = await exportSPKI(pair.publicKey);
  }
  published = await listen(
    (_req, res) => {
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ keys }));
    },
    { host: "127.0.0.1", port: 0 },
  );
  url = `http://127.0.0.1:${published.port}/keys`;
});
afterAll(() => published.close(1_000));

function verifierFor(jwksUrl: string, secrets?: string[]): TokenVerifier {
  return createTokenVerifier({
    jwksUrl,
    secrets,
    clock: { now: Date.now },
    logger: createSilentLogger(),
  });
}

function sign(alg: string, kid = `key-${alg}`): Promise<string> {
  const key = privateKeys.get(alg);
  if (key === undefined) throw new Error(`no key for ${alg}`);
  return new SignJWT({ sub: "u1", exp }).setProtectedHeader({ alg, kid }).sign(key);
}

describe("a token signed with a published key", () => {
  it.each(ALGORITHMS)("is accepted: %s", async (alg) => {
    expect((await verifierFor(url).verify(await sign(alg))).userId).toBe("u1");
  });

  it("is refused when the key is not in the set", async () => {
    const verifying = verifierFor(url).verify(await sign("ES256", "another-key"));
    await expect(verifying).rejects.toMatchObject({
      code: "unauthenticated",
      detail: "The token is signed with an unknown key.",
    });
  });

  it("is refused where only shared secrets are configured", async () => {
    const verifier = createTokenVerifier({
      secrets: ["s"],
      clock: { now: Date.now },
      logger: createSilentLogger(),
    });
    const verifying = verifier.verify(await sign("RS256"));
    await expect(verifying).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

describe("the public key", () => {
  it("is not a secret that a token could be forged with", async () => {
    const forged = await new SignJWT({ sub: "admin", exp })
      .setProtectedHeader({ alg: "HS256", kid: "key-RS256" })
      .sign(Buffer.from(rsaPublicPem));
    for (const verifier of [verifierFor(url), verifierFor(url, ["the real secret"])]) {
      await expect(verifier.verify(forged)).rejects.toMatchObject({ code: "unauthenticated" });
    }
  });
});

describe("while the key set cannot be read", () => {
  it("the caller is told to come back, not that the token is bad", async () => {
    const gone = await listen(() => {}, { host: "127.0.0.1", port: 0 });
    await gone.close(100);
    const verifying = verifierFor(`http://127.0.0.1:${gone.port}/`).verify(await sign("RS256"));
    await expect(verifying).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 5 });
  });
});
