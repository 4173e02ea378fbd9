/** What an administrator sees and sets of who owns a batch or class, and what others may not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOwnerIndex, type OwnerClaim } from "../../src/projectors/owner-index.ts";
import { ownerRoutes } from "../../src/projectors/routes.ts";
import { openServer, problemFrom, type OpenServer } from "../http/open-server.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;
let server: OpenServer;
let audited: { caller: string; claim: OwnerClaim; before: string | undefined }[];

beforeAll(async () => {
  store = await openTestRedis();
  const onPut = async (caller: string, claim: OwnerClaim, before: string | undefined) => {
    audited.push({ caller, claim, before });
    await Promise.resolve();
  };
  server = await openServer(ownerRoutes({ owners: createOwnerIndex(store), onPut }));
});

beforeEach(() => {
  audited = [];
});

afterAll(async () => {
  await server.close();
  await store.close();
});

async function call(method: string, path: string, body?: unknown, scopes = ["admin"]) {
  return await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await server.token(scopes, "admin-1")}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe("/owners/{kind}/{id}", () => {
  it("tells who was set, and leaves a trace of each change", async () => {
    const set = await call("PUT", "/owners/batch/batch-1", { user_id: "teacher-1" });
    expect(set.status).toBe(200);
    const owner = { kind: "batch", id: "batch-1", user_id: "teacher-1" };
    expect(await set.json()).toEqual(owner);
    const got = await call("GET", "/owners/batch/batch-1");
    expect([got.status, await got.json()]).toEqual([200, owner]);

    await call("PUT", "/owners/batch/batch-1", { user_id: "teacher-2" });
    const claim = { kind: "batch", id: "batch-1" };
    expect(audited).toEqual([
      { caller: "admin-1", claim: { ...claim, userId: "teacher-1" }, before: undefined },
      { caller: "admin-1", claim: { ...claim, userId: "teacher-2" }, before: "teacher-1" },
    ]);
  });

  it("knows ids with any characters, as events may have them", async () => {
    const path = `/owners/class/${encodeURIComponent("9A / år:1")}`;
    await call("PUT", path, { user_id: "teacher-1" });
    const got = await call("GET", path);
    expect(await got.json()).toEqual({ kind: "class", id: "9A / år:1", user_id: "teacher-1" });
  });

  it("says that an owner is not known", async () => {
    const response = await call("GET", "/owners/class/nobodys");
    expect(response.status).toBe(404);
    expect(await problemFrom(response)).toMatchObject({
      code: "not_found",
      detail: "No owner of this class is known.",
    });
  });

  it.each<[what: string, path: string, body: unknown, issue: string, message: RegExp]>([
    ["another kind", "/owners/school/s-1", { user_id: "a" }, "kind", /one of batch, class/],
    ["an endless id", `/owners/batch/${"b".repeat(129)}`, { user_id: "a" }, "id", /<=128/],
    ["no user", "/owners/batch/batch-2", {}, "user_id", /is required/],
    ["a user who cannot be one", "/owners/batch/batch-2", { user_id: "a:*" }, "user_id", /letters/],
  ])("refuses %s and names it", async (_what, path, body, issue, message) => {
    const response = await call("PUT", path, body);
    expect(response.status).toBe(400);
    const problem = await problemFrom(response);
    expect(problem.code).toBe("invalid_request");
    expect(problem.errors).toEqual([{ path: issue, message: expect.stringMatching(message) }]);
    expect(audited).toEqual([]);
  });

  it("is for administrators", async () => {
    for (const method of ["GET", "PUT"]) {
      const body = method === "PUT" ? { user_id: "teacher-1" } : undefined;
      const response = await call(method, "/owners/batch/batch-3", body, ["notify:send"]);
      expect(response.status).toBe(403);
    }
    expect((await call("GET", "/owners/batch/batch-3")).status).toBe(404);
  });
});
