/** Describes the routes as an OpenAPI 3.1 document, from the same schemas that validate. */
import { z } from "zod";
import { Problem, PROBLEMS, type ProblemCode } from "../platform/problems.ts";
import { DEFAULT_BODY_LIMIT_BYTES } from "./body-bytes.ts";
import { FORM_TYPE } from "./form-body.ts";
import { jsonSchemaOf, type Json } from "./json-schema.ts";
import { PROBLEM_TYPE, problemDocument, problemDocumentSchema } from "./problem.ts";
import { publicRoute, type Route } from "./route.ts";

export interface OpenApiOptions {
  readonly routes: readonly Route[];
  readonly version: string;
  readonly title: string;
  /** Markdown, shown above the routes. */
  readonly description: string;
}

/** Pure: the document as an object, ready for JSON. Routes with `documented: false` are left out. */
function buildOpenApi({ routes, version, title, description }: OpenApiOptions): Json {
  const documented = routes.filter((route) => route.documented !== false);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of documented) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title, version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    tags: tagsOf(documented),
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: schemaOf(problemDocumentSchema, "output") },
    },
  };
}

/** The groups in the order in which a reader wants them; a route of any other comes last. */
const TAGS = [
  "Notifications",
  "Templates",
  "WebSocket",
  "Preferences",
  "Push",
  "Owners",
  "Reports",
  "SMS",
  "Operations",
];

function tagsOf(routes: readonly Route[]): Json[] {
  const used = new Set(routes.map((route) => route.tag));
  const known = TAGS.filter((tag) => used.has(tag));
  return [...new Set([...known, ...used])].map((name) => ({ name }));
}

function operation(route: Route): Json {
  return {
    operationId: operationId(route),
    summary: route.summary,
    description: descriptionOf(route),
    tags: [route.tag],
    security: route.security.access === "token" ? [{ bearer: [] }] : [],
    parameters: [
      ...pathParameters(route),
      ...parameters("query", route.query),
      ...parameters("header", route.headers),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: requestContent(route.body, route) } }),
    responses: { ...successes(route), ...refusals(route) },
  };
}

/** `GET /notifications/:id` is `getNotificationsById`. */
function operationId({ method, path }: Route): string {
  const words = path
    .replaceAll(/:(\w+)/g, "by-$1")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function descriptionOf(route: Route): string {
  const sentences: string[] = [];
  if (route.security.access === "token") {
    const { scopes } = route.security;
    const needed = scopes.map((scope) => `\`${scope}\``).join(" or ");
    sentences.push(scopes.length === 0 ? "Any valid token." : `Scope: ${needed}.`);
  } else {
    sentences.push("No token needed.");
  }
  if (route.body !== undefined) {
    const kilobytes = (route.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES) / 1_024;
    sentences.push(`The body may hold ${kilobytes} KB; fields that are not listed are ignored.`);
  }
  return sentences.join(" ");
}

function pathParameters(route: Route): Json[] {
  const described = propertiesOf(route.params);
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) =>
    parameter("path", name, described.properties[name] ?? { type: "string" }, true),
  );
}

function parameters(where: "query" | "header", schema: z.ZodType | undefined): Json[] {
  const { properties, required } = propertiesOf(schema);
  return Object.entries(properties).map(([name, property]) =>
    parameter(where, name, property, required.includes(name)),
  );
}

/** Readers look for the description of a parameter beside its schema, not in it. */
function parameter(where: string, name: string, schema: Json, required: boolean): Json {
  const { description, ...rest } = schema;
  return {
    name,
    in: where,
    required,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  };
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
});

function propertiesOf(schema: z.ZodType | undefined): z.infer<typeof objectSchema> {
  return objectSchema.parse(schema === undefined ? {} : schemaOf(schema, "input"));
}

function successes(route: Route): Json {
  return Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, schema }]) => [
      status,
      { description, ...(schema === undefined ? {} : { content: jsonContent(schema, "output") }) },
    ]),
  );
}

/** Refusals share a document; the codes of one status are told apart in its description. */
function refusals(route: Route): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of possibleProblems(route)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const described = [...byStatus].map(([status, codes]) => [status, refusal(status, codes)]);
  // A probe that answers 503 by design has described that answer itself.
  return Object.fromEntries(described.filter(([status]) => !(Number(status) in route.responses)));
}

const EXAMPLE_REQUEST_ID = "3ca8e65d-9441-4a67-b8e9-d3ff1593da94";

function refusal(status: number, codes: readonly ProblemCode[]): Json {
  const retryAfter = {
    "Retry-After": { description: "seconds to wait", schema: { type: "integer" } },
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join(". "),
    ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
    content: {
      [PROBLEM_TYPE]: {
        schema: { $ref: "#/components/schemas/Problem" },
        examples: Object.fromEntries(
          codes.map((code) => {
            const problem = new Problem(code, `${PROBLEMS[code].title}.`);
            return [code, { value: problemDocument(problem, EXAMPLE_REQUEST_ID) }];
          }),
        ),
      },
    },
  };
}

function possibleProblems(route: Route): ReadonlySet<ProblemCode> {
  const codes: ProblemCode[] = [];
  if (route.body !== undefined) {
    codes.push("invalid_json", "invalid_request", "body_too_large", "unsupported_media_type");
  }
  if (route.query !== undefined || route.params !== undefined) codes.push("invalid_request");
  if (route.security.access === "token") {
    codes.push("unauthenticated", "rate_limited", "unavailable");
    if (route.security.scopes.length > 0) codes.push("forbidden");
  }
  if (route.rateLimit !== "none") codes.push("rate_limited", "unavailable");
  return new Set([...codes, ...route.problems, "internal"]);
}

function jsonContent(schema: z.ZodType, io: "input" | "output"): Json {
  return { "application/json": { schema: schemaOf(schema, io) } };
}

function requestContent(schema: z.ZodType, { example, bodyType }: Route): Json {
  const media = { schema: schemaOf(schema, "input") };
  const type = bodyType === "form" ? FORM_TYPE : "application/json";
  return { [type]: example === undefined ? media : { ...media, example } };
}

/**
 * A schema that lets everything pass but is described like `schema`: for what a handler parses
 * itself, because a wrong one has a refusal of its own.
 */
export function describedAs(schema: z.ZodType, description: string): z.ZodType {
  return z.unknown().meta({ ...schemaOf(schema, "input"), description });
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  return jsonSchemaOf(schema, { io });
}

/** `GET /openapi.json`; describes itself too. The document is built on first use. */
export function openApiRoute(options: OpenApiOptions): Route {
  let document: string | undefined;
  const route: Route = publicRoute({
    method: "get",
    path: "/openapi.json",
    summary: "This description, for machines",
    tag: "Operations",
    rateLimit: "none",
    responses: { 200: { description: "an OpenAPI 3.1 document", schema: z.looseObject({}) } },
    problems: [],
    handle() {
      document ??= JSON.stringify(buildOpenApi({ ...options, routes: [...options.routes, route] }));
      return {
        status: 200,
        body: document,
        type: "application/json; charset=utf-8",
        headers: { "Cache-Control": "no-cache" },
      };
    },
  });
  return route;
}
