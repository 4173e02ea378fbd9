/** What readers of the API description, their programs and their browsers find. */
import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { notificationRequestSchema } from "../../src/contract/notification-request.ts";
import { docsRoutes } from "../../src/http/docs.ts";
import { metricsRoute } from "../../src/http/metrics-route.ts";
import { openApiRoute } from "../../src/http/openapi.ts";
import { PROBLEM_GUIDE } from "../../src/http/problem-guide.ts";
import { tokenRoute } from "../../src/http/route.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { PROBLEMS } from "../../src/platform/problems.ts";
import { openServer, problemFrom, type OpenServer } from "./open-server.ts";

const notify = tokenRoute({
  method: "post",
  path: "/notify",
  summary: "Sends a notification",
  tag: "notifications",
  rateLimit: "default",
  scopes: ["notify:send"],
  body: notificationRequestSchema,
  responses: { 202: { description: "accepted", schema: z.object({ notification_id: z.uuid() }) } },
  problems: ["unknown_template", "idempotency_conflict"],
  handle: () => ({ status: 202 }),
});
const status = tokenRoute({
  method: "get",
  path: "/notifications/:id",
  summary: "Says how a notification is doing",
  tag: "notifications",
  rateLimit: "default",
  scopes: [],
  params: z.object({ id: z.uuid() }),
  query: z.object({ after: z.iso.datetime().optional(), limit: z.coerce.number().int().min(1) }),
  responses: { 200: { description: "its status" } },
  problems: ["not_found"],
  handle: () => ({ status: 200 }),
});

const described = [notify, status, metricsRoute(createMetrics()), ...docsRoutes()];

let server: OpenServer;
beforeAll(async () => {
  const options = { title: "Schoolbell", version: "1.2.3", description: "Rings." };
  server = await openServer([...described, openApiRoute({ ...options, routes: described })]);
});
afterAll(() => server.close());

const get = (path: string) => fetch(server.url + path);

const documentSchema = z.looseObject({
  openapi: z.literal("3.1.0"),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        security: z.array(z.unknown()),
        parameters: z.array(
          z.looseObject({ name: z.string(), in: z.string(), required: z.boolean() }),
        ),
        requestBody: z.looseObject({ content: z.record(z.string(), z.unknown()) }).optional(),
        responses: z.record(
          z.string().regex(/^[1-5]\d\d$/),
          z.looseObject({ description: z.string() }),
        ),
      }),
    ),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

const readDocument = async () => documentSchema.parse(await (await get("/openapi.json")).json());

/** Every JSON schema in the document, wherever it is. */
function schemasIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === "schema" && typeof inner === "object" && inner !== null ? [inner] : schemasIn(inner),
  );
}

describe("/openapi.json", () => {
  it("has every route that is not a page, with an id of its own", async () => {
    const { paths } = await readDocument();
    expect(Object.keys(paths).toSorted()).toEqual([
      "/metrics",
      "/notifications/{id}",
      "/notify",
      "/openapi.json",
    ]);
    const ids = Object.values(paths).flatMap((path) =>
      Object.values(path).map((op) => op.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("getNotificationsById");
  });

  it("holds only schemas that a validator takes", async () => {
    const document = await readDocument();
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "document", components: document.components });
    const schemas = schemasIn(document.paths);
    expect(schemas.length).toBeGreaterThan(8);
    for (const schema of schemas) {
      const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
      expect(() =>
        ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(text))),
      ).not.toThrow();
    }
  });

  it("describes a body as callers may send it", async () => {
    const { paths } = await readDocument();
    const body = paths["/notify"]?.["post"]?.requestBody?.content["application/json"];
    const schema = z.looseObject({ schema: z.record(z.string(), z.unknown()) }).parse(body).schema;
    const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(accepts({ user_id: "u1", template_id: "announcement" })).toBe(true);
    expect(accepts({ user_id: "u1", template_id: "x", channels: ["pigeon"] })).toBe(false);
    expect(accepts({ template_id: "x" })).toBe(false);
  });

  it("says which parameters, tokens and refusals each route has", async () => {
    const { paths } = await readDocument();
    const read = paths["/notifications/{id}"]?.["get"];
    expect(
      read?.parameters.map(({ name, in: where, required }) => [name, where, required]),
    ).toEqual([
      ["id", "path", true],
      ["after", "query", false],
      ["limit", "query", true],
    ]);
    expect(read?.security).toEqual([{ bearer: [] }]);
    const send = paths["/notify"]?.["post"];
    expect(Object.keys(send?.responses ?? {})).toEqual(
      expect.arrayContaining([
        "202",
        "400",
        "401",
        "403",
        "404",
        "409",
        "413",
        "415",
        "429",
        "503",
      ]),
    );
    expect(send?.responses["409"]?.description).toContain("idempotency_conflict");
    expect(paths["/metrics"]?.["get"]?.security).toEqual([]);
  });
});

describe("/docs", () => {
  it("serves a page whose every file comes from here, and no inline script or style", async () => {
    for (const path of ["/docs", "/docs/errors"]) {
      const response = await get(path);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const html = await response.text();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=|https?:\/\//);
      const files = [...html.matchAll(/(?:src|href)="(\/[^"#]*)"/g)].map(([, file = ""]) => file);
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) expect((await get(file)).status).toBe(200);
    }
  });

  it("serves scripts and styles as such", async () => {
    const types = {
      "start.js": "javascript",
      "swagger-ui-bundle.js": "javascript",
      "swagger-ui.css": "css",
    };
    for (const [file, type] of Object.entries(types)) {
      const response = await get(`/docs/${file}`);
      expect(response.headers.get("content-type")).toContain(`text/${type}`);
      expect((await response.text()).length).toBeGreaterThan(100);
    }
  });

  it("explains every error code where problem documents point", async () => {
    const { type } = await problemFrom(await get("/nothing"));
    const [page = "", anchor = ""] = type.split("#");
    const html = await (await get(page)).text();
    expect(html).toContain(`id="${anchor}"`);
    for (const code of Object.keys(PROBLEMS)) expect(html).toContain(`<tr id="${code}">`);
  });
});

describe("docs/ERRORS.md", () => {
  it("lists exactly the codes there are, with status, retry and advice", async () => {
    const text = await readFile(new URL("../../docs/ERRORS.md", import.meta.url), "utf8");
    const rows = text
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const expected = Object.entries(PROBLEMS).map(([code, { status, retryable }]) => {
      const guide = Object.entries(PROBLEM_GUIDE).find(([name]) => name === code)?.[1];
      const retry = retryable ? "yes" : "no";
      return [`\`${code}\``, String(status), retry, guide?.meaning, guide?.remedy];
    });
    expect(rows).toEqual(expected);
  });
});
