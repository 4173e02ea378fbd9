/** The API description of the whole product: complete enough to work from, with examples that work. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { problemDocumentSchema } from "../../src/http/problem.ts";
import { startProduct, type Product } from "../support/product.ts";

const jsonSchema = z.record(z.string(), z.unknown());
const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.string(),
  description: z.string().optional(),
});
const operationSchema = z.looseObject({
  tags: z.tuple([z.string()]),
  description: z.string(),
  parameters: z.array(parameterSchema),
  requestBody: z
    .object({
      required: z.literal(true),
      content: z.object({
        "application/json": z.object({ schema: jsonSchema, example: z.unknown().optional() }),
      }),
    })
    .optional(),
});
const documentSchema = z.looseObject({
  tags: z.array(z.object({ name: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

interface Operation extends z.infer<typeof operationSchema> {
  /** Such as `POST /notify`. */
  readonly name: string;
  readonly body: { schema: Record<string, unknown>; example?: unknown } | undefined;
}

let product: Product;
let tags: string[];
let operations: Operation[];

beforeAll(async () => {
  product = await startProduct();
  const document = documentSchema.parse((await product.call("GET", "/openapi.json")).body);
  tags = document.tags.map(({ name }) => name);
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: `${method.toUpperCase()} ${path}`,
      body: operation.requestBody?.content["application/json"],
    })),
  );
});
afterAll(() => product.stop());

function find(name: string): Operation {
  const found = operations.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`${name} is not described`);
  return found;
}

/** Every property of an object schema, at any depth: its path and whether it is described. */
function propertiesOf(schema: unknown, path: string): { path: string; described: boolean }[] {
  const parsed = z
    .looseObject({
      properties: z.record(z.string(), jsonSchema).optional(),
      items: z.unknown().optional(),
    })
    .safeParse(schema);
  if (!parsed.success) return [];
  const { properties = {}, items } = parsed.data;
  return [
    ...Object.entries(properties).flatMap(([name, property]) => [
      { path: `${path}.${name}`, described: typeof property["description"] === "string" },
      ...propertiesOf(property, `${path}.${name}`),
    ]),
    ...propertiesOf(items, `${path}[]`),
  ];
}

describe("a reader of /docs", () => {
  it("finds the routes in few groups, sending first", () => {
    expect(tags).toEqual([
      "Notifications",
      "Templates",
      "WebSocket",
      "Preferences",
      "Push",
      "Owners",
      "Reports",
      "Operations",
    ]);
    for (const { tags: own } of operations) expect(tags).toContain(own[0]);
  });

  it("finds every request field, parameter and header explained", () => {
    const fields = operations.flatMap(({ name, body }) => propertiesOf(body?.schema, name));
    const parameters = operations.flatMap((operation) =>
      operation.parameters.map(({ name, description }) => ({
        path: `${operation.name} ${name}`,
        described: description !== undefined,
      })),
    );
    const paths = [...fields, ...parameters].map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "POST /notify.send_at",
        "POST /notify/bulk.notifications[].idempotency_key",
        "PUT /preferences.quiet_hours.from",
        "POST /push/subscribe.keys.p256dh",
        "GET /analytics start_date",
      ]),
    );
    const bare = [...fields, ...parameters].filter(({ described }) => !described);
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  it("learns the default of every optional field of a notification", () => {
    const schema = z
      .looseObject({ required: z.array(z.string()), properties: z.record(z.string(), jsonSchema) })
      .parse(find("POST /notify").body?.schema);
    expect(schema.required).toEqual(["user_id", "template_id"]);
    for (const [name, property] of Object.entries(schema.properties)) {
      if (schema.required.includes(name)) continue;
      expect(property["description"], name).toContain("default");
    }
  });

  it("learns which headers mean something, and that strange fields do not", () => {
    const headersOf = (name: string): string[] =>
      find(name)
        .parameters.filter((parameter) => parameter.in === "header")
        .map((parameter) => parameter.name);
    expect(headersOf("POST /notify")).toEqual(["Idempotency-Key", "Prefer"]);
    expect(headersOf("POST /notify/bulk")).toEqual(["Idempotency-Key"]);
    for (const { body, description } of operations) {
      if (body !== undefined)
        expect(description).toContain("fields that are not listed are ignored");
    }
  });

  it("finds an example of every body, which its own schema takes", () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const withBody = operations.filter(({ body }) => body !== undefined);
    expect(withBody.length).toBeGreaterThan(5);
    for (const { name, body } of withBody) {
      const validate = ajv.compile(body?.schema ?? {});
      expect(validate(body?.example), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    }
  });
});

it("shows each refusal by a document of its own code", () => {
  const refusals = z.looseObject({
    responses: z.record(
      z.string(),
      z.looseObject({
        content: z
          .record(
            z.string(),
            z.looseObject({
              examples: z.record(z.string(), z.object({ value: problemDocumentSchema })).optional(),
            }),
          )
          .optional(),
      }),
    ),
  });
  const { responses } = refusals.parse(find("POST /notify"));
  const examples = responses["400"]?.content?.["application/problem+json"]?.examples ?? {};
  expect(Object.keys(examples)).toContain("invalid_template_data");
  for (const [code, { value }] of Object.entries(examples)) {
    expect(value).toMatchObject({ code, status: 400, type: `/docs/errors#${code}` });
  }
});

describe("the examples work as they are", () => {
  it.each([
    ["POST /notify", 202],
    ["POST /notify/bulk", 202],
    ["PUT /preferences", 200],
    ["POST /templates/{id}/preview", 200],
    ["POST /push/subscribe", 201],
    ["DELETE /push/subscribe", 204],
  ])("%s answers %i", async (name, status) => {
    const [method = "", path = ""] = name.split(" ");
    const filled = path.replace("{id}", "announcement");
    const answer = await product.call(method, filled, { body: find(name).body?.example });
    expect(answer.status).toBe(status);
    if (name === "POST /notify/bulk") expect(answer.body).toMatchObject({ rejected: 0 });
  });

  it("takes strange fields without looking at them, as it says", async () => {
    const { body } = find("POST /notify");
    const strange = { ...z.record(z.string(), z.unknown()).parse(body?.example), colour: "red" };
    expect((await product.call("POST", "/notify", { body: strange })).status).toBe(202);
  });
});
