/** `npm run token`: a token that the service takes, or a sentence that says what was wrong. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KNOWN_SCOPES } from "../../src/auth/scopes.ts";
import { tokenCommand } from "../../src/cli/commands/token.ts";
import { readTokenRequest } from "../../src/cli/token-request.ts";
import { loadDevelopmentKeys } from "../../src/platform/development-keys.ts";
import { runCli } from "./run-cli.ts";

const SECRET = "a-secret-that-is-long-enough-for-hs256";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-token-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

async function claimsOf(token: string, secret: string) {
  return (await jwtVerify(token.trim(), Buffer.from(secret))).payload;
}

describe("a token", () => {
  it("says whose it is, what it may do and how long", async () => {
    const args = ["--user", "teacher_1", "--scope", "notify:send analytics:read", "--ttl", "8h"];
    const { code, stdout, stderr } = await runCli("token", args, { JWT_SECRET_KEY: SECRET });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const claims = await claimsOf(stdout, SECRET);
    expect(claims).toMatchObject({ sub: "teacher_1", scope: "notify:send analytics:read" });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(8 * 3_600);
  });

  it("is signed with the newest of several secrets", async () => {
    const env = { JWT_SECRET_KEY: `${SECRET},an-older-secret` };
    const { stdout } = await runCli("token", ["--user", "teacher_1"], env);
    expect((await claimsOf(stdout, SECRET)).sub).toBe("teacher_1");
  });

  it("is signed with the development key where no secret is set", async () => {
    const { stdout } = await runCli("token", ["--user", "teacher_1"], { DATA_DIR: dataDir });
    const { jwtSecret } = await loadDevelopmentKeys(dataDir);
    expect((await claimsOf(stdout, jwtSecret)).sub).toBe("teacher_1");
  });

  it("carries the issuer and audience that the service asks for", async () => {
    const env = { JWT_SECRET_KEY: SECRET, JWT_ISSUER: "school", JWT_AUDIENCE: "bell" };
    const { stdout } = await runCli("token", ["--user", "teacher_1"], env);
    expect(await claimsOf(stdout, SECRET)).toMatchObject({ iss: "school", aud: "bell" });
  });
});

it.each(KNOWN_SCOPES)("takes the scope %s, which its help names", (scope) => {
  expect(readTokenRequest({ user: "a", scope, ttl: "1h" }).scopes).toEqual([scope]);
  expect(tokenCommand().helpInformation()).toContain(scope.split(":").at(-1));
});

describe("a wrong use", () => {
  it.each([
    [{}, "--user is missing"],
    [{ user: "a:b" }, "--user must be 1 to 128"],
    [{ user: "a", scope: "notify;send" }, "notify;send"],
    [{ user: "a", scope: "notify:send foo:bar" }, 'foo:bar" is no scope; known: notify:send,'],
    [{ user: "a", scope: "notify:send:teachers" }, "notify:send:teacher,"],
    [{ user: "a", ttl: "soon" }, "soon"],
    [{ user: "a", ttl: "0s" }, "0s"],
    [{ user: "a", ttl: "400d" }, "366d"],
  ])("%j is refused in words", (options, words) => {
    expect(() => readTokenRequest({ ttl: "1h", ...options })).toThrow(words);
  });

  it.each([
    [["--usr", "a"], "unknown option '--usr' (Did you mean --user?)"],
    [["--user", "a", "b"], "too many arguments. Expected 0 arguments but got 1: b."],
    [["--user"], "option '--user <id>' argument missing"],
  ])("%j is refused in words", async (args, words) => {
    const { code, stdout, stderr } = await runCli("token", args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(words);
  });

  it("prints the words and how it is done, and no token", async () => {
    const { code, stdout, stderr } = await runCli("token", ["--ttl", "1h"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")[0]).toContain("--user is missing");
    expect(stderr).toContain("npm run token --");
  });

  it("is to want a development key in production", async () => {
    const env = { NODE_ENV: "production", DATA_DIR: dataDir };
    const { code, stdout, stderr } = await runCli("token", ["--user", "a"], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("JWT_SECRET_KEY");
  });

  it("is to set a variable wrongly: it is named, without a stack trace", async () => {
    const wrong = await runCli("token", ["--user", "a"], { NODE_ENV: "live", DATA_DIR: dataDir });
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("NODE_ENV: must be one of development, production, test");
    expect(wrong.stderr).not.toContain("    at ");
  });

  it("is to name a data folder that cannot be one", async () => {
    const env = { DATA_DIR: path.join(import.meta.filename, "data") };
    const wrong = await runCli("token", ["--user", "a"], env);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^DATA_DIR: must be a folder that can be written/);
  });

  it("is answered by --help", async () => {
    const { code, stdout } = await runCli("token", ["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("--ttl");
  });
});
