/** What providers post as a form reaches the handler whole, and nothing else gets in. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { formSchema } from "../../src/http/form-body.ts";
import { publicRoute } from "../../src/http/route.ts";
import { anyReply, openServer, problemFrom, type OpenServer } from "./open-server.ts";

const LIMIT_BYTES = 1_024;

const formRoute = publicRoute({
  method: "post",
  path: "/form",
  summary: "Takes a form",
  tag: "test",
  rateLimit: "none",
  bodyType: "form",
  bodyLimitBytes: LIMIT_BYTES,
  body: formSchema,
  responses: anyReply,
  problems: [],
  handle: ({ body }) => ({ status: 200, body }),
});

let server: OpenServer;
beforeAll(async () => {
  server = await openServer([formRoute]);
});
afterAll(() => server.close());

function post(body: string, type = "application/x-www-form-urlencoded"): Promise<Response> {
  return fetch(`${server.url}/form`, { method: "POST", headers: { "content-type": type }, body });
}

it("keeps each field, one that is there several times with all its values", async () => {
  const response = await post("Body=Stop%20%C3%A9+1&A=1&A=2&Empty=&constructor=c");
  expect(await response.json()).toEqual({
    Body: "Stop é 1",
    A: ["1", "2"],
    Empty: "",
    constructor: "c",
  });
});

it("refuses what is no form", async () => {
  const problem = await problemFrom(await post('{"a":1}', "application/json"));
  expect(problem.code).toBe("unsupported_media_type");
});

it("refuses a form that is too large, and one with too many fields", async () => {
  expect((await problemFrom(await post(`A=${"a".repeat(LIMIT_BYTES)}`))).code).toBe(
    "body_too_large",
  );
  expect((await problemFrom(await post("a&".repeat(300)))).code).toBe("invalid_request");
});
