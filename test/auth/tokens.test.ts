/** Which tokens are let in, as whom, and what the others are told. */
import { SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { createTokenVerifier, type TokenVerifierOptions } from "../../src/auth/tokens.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { Problem } from "../../src/platform/problems.ts";

const SECRET = "the secret of this test";
const START_MS = Date.parse("2026-09-15T14:00:00Z");
const IN_AN_HOUR = START_MS / 1_000 + 3_600;

function setUp(options: Partial<TokenVerifierOptions> = {}) {
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  const verifier = createTokenVerifier({
    secrets: [SECRET],
    clock,
    logger: createSilentLogger(),
    ...options,
  });
  const refusal = async (token: string): Promise<string> => {
    const caller = await verifier.verify(token).catch((error: unknown) => error);
    if (caller instanceof Problem && caller.code === "unauthenticated") return caller.detail;
    throw new Error("expected a refusal", { cause: caller });
  };
  return { clock, verify: (token: string) => verifier.verify(token), refusal };
}

function sign(claims: JWTPayload, secret = SECRET, alg = "HS256"): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(secret.padEnd(64)));
}

const padded = { secrets: [SECRET.padEnd(64)] };

describe("a good token", () => {
  it("names the caller, the scopes and the end of its life", async () => {
    const { clock, verify } = setUp();
    const token = await createTokenSigner(SECRET, { now: clock.now }).sign({
      userId: "teacher.1@school",
      scopes: ["notify:send", "analytics:read"],
      ttlSeconds: 60,
    });
    expect(await verify(token)).toEqual({
      userId: "teacher.1@school",
      scopes: new Set(["notify:send", "analytics:read"]),
      expiresAt: START_MS + 60_000,
    });
  });

  it.each(["sub", "user_id", "teacher_id"])("may name the user as %s", async (claim) => {
    const { verify } = setUp(padded);
    const caller = await verify(await sign({ [claim]: "u1", exp: IN_AN_HOUR }));
    expect(caller.userId).toBe("u1");
  });

  it("may name the user several times, if always the same", async () => {
    const { verify, refusal } = setUp(padded);
    const exp = IN_AN_HOUR;
    const same = await sign({ sub: "u1", user_id: "u1", teacher_id: "u1", exp });
    expect((await verify(same)).userId).toBe("u1");
    expect(await refusal(await sign({ sub: "u1", teacher_id: "u2", exp }))).toContain(
      "different users (sub, teacher_id)",
    );
  });

  it("may list its scopes as an array", async () => {
    const { verify } = setUp(padded);
    const token = await sign({ sub: "u1", scopes: ["admin", "notify:send"], exp: IN_AN_HOUR });
    expect((await verify(token)).scopes).toEqual(new Set(["admin", "notify:send"]));
  });

  it("may be signed with any secret of the list, so that secrets can be replaced", async () => {
    const { verify } = setUp({ secrets: ["new", "old".padEnd(64)] });
    expect((await verify(await sign({ sub: "u1", exp: IN_AN_HOUR }, "old"))).userId).toBe("u1");
  });

  it("is accepted from an issuer whose clock is half a minute off, not more", async () => {
    const { clock, verify, refusal } = setUp(padded);
    const token = await sign({ sub: "u1", exp: START_MS / 1_000 });
    clock.nowMs = START_MS + 29_000;
    expect((await verify(token)).userId).toBe("u1");
    clock.nowMs = START_MS + 31_000;
    expect(await refusal(token)).toBe("The token has expired.");
  });

  it("stops being good when its time is over, however often it was seen before", async () => {
    const { clock, verify, refusal } = setUp(padded);
    const token = await sign({ sub: "u1", exp: IN_AN_HOUR });
    await verify(token);
    await verify(token);
    clock.nowMs = (IN_AN_HOUR + 31) * 1_000;
    expect(await refusal(token)).toBe("The token has expired.");
  });
});

describe("a token is refused, and its bearer told why, when it", () => {
  const exp = IN_AN_HOUR;

  it.each<[string, JWTPayload, string]>([
    ["has no end", { sub: "u1" }, "lacks the claim exp"],
    ["has an end that is no time", { sub: "u1", exp: "later" as unknown as number }, "claim exp"],
    ["is not valid yet", { sub: "u1", exp, nbf: exp - 60 }, "not valid yet"],
    ["names nobody", { exp }, "names no user"],
    ["names a user with a colon", { sub: "a:b", exp }, "token's sub must be"],
    ["names a user with a number", { user_id: 17, exp }, "token's user_id must be"],
    ["names an empty user", { sub: "", exp }, "token's sub must be"],
    ["has scopes of a wrong type", { sub: "u1", exp, scope: ["admin"] }, "scope must be a string"],
    ["has a scope list of a wrong type", { sub: "u1", exp, scopes: "admin" }, "must be an array"],
    ["has hundreds of scopes", { sub: "u1", exp, scope: "a ".repeat(500) }, "more than 100 scopes"],
  ])("%s", async (_name, claims, reason) => {
    const { refusal } = setUp(padded);
    expect(await refusal(await sign(claims))).toContain(reason);
  });

  it("is signed with another secret", async () => {
    const { refusal } = setUp(padded);
    expect(await refusal(await sign({ sub: "u1", exp }, "guessed"))).toContain("signature");
  });

  it("was changed after it was signed", async () => {
    const { refusal } = setUp(padded);
    const [head, , signature] = (await sign({ sub: "u1", exp })).split(".");
    const claims = Buffer.from(JSON.stringify({ sub: "admin", exp })).toString("base64url");
    expect(await refusal(`${head}.${claims}.${signature}`)).toContain("signature");
  });

  it("is not signed at all", async () => {
    const { refusal } = setUp();
    const unsigned = new UnsecuredJWT({ sub: "u1", exp }).encode();
    expect(await refusal(unsigned)).toContain("alg none");
    const [, claims] = unsigned.split(".");
    const shouted = Buffer.from('{"alg":"NONE"}').toString("base64url");
    expect(await refusal(`${shouted}.${claims}.`)).toContain("alg none");
  });

  it("is signed in a way that is not accepted here", async () => {
    const { refusal } = setUp(padded);
    expect(await refusal(await sign({ sub: "u1", exp }, SECRET, "HS512"))).toContain("HS512");
  });

  it.each(["", "x", "a.b.c", "....", "eyJhbGciOiJIUzI1NiJ9.e30", "é".repeat(10)])(
    "is no token: %j",
    async (token) => {
      const { refusal } = setUp();
      expect(await refusal(token)).toMatch(/not a (valid )?JWT/);
    },
  );

  it("is longer than any real one", async () => {
    const { refusal } = setUp();
    expect(await refusal("a".repeat(10_000))).toContain("too long");
  });

  it("comes from another issuer or is meant for another service", async () => {
    const { verify, refusal } = setUp({ ...padded, issuer: "district", audience: "schoolbell" });
    const good = { sub: "u1", exp, iss: "district", aud: "schoolbell" };
    expect((await verify(await sign(good))).userId).toBe("u1");
    expect(await refusal(await sign({ ...good, iss: "other" }))).toContain("claim iss");
    expect(await refusal(await sign({ ...good, aud: "other" }))).toContain("claim aud");
    expect(await refusal(await sign({ sub: "u1", exp, iss: "district" }))).toContain("aud");
  });
});
