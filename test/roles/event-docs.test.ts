/** docs/EVENTS.md and /asyncapi.json: what those who write or read our topics have to know. */
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventEnvelopeSchema } from "../../src/contract/teacher-notification.ts";
import { buildAsyncApi } from "../../src/http/asyncapi.ts";
import { jsonSchemaOf } from "../../src/http/json-schema.ts";
import { readConfig } from "../../src/platform/config.ts";
import { DEAD_LETTER_REASONS, deadLetterRecord } from "../../src/platform/kafka/dead-letters.ts";
import {
  deadLetterHeadersSchema,
  readDeadLetterHeaders,
} from "../../src/platform/kafka/dead-letter-headers.ts";
import { DOMAIN_EVENTS, subscribedTopics } from "../../src/projectors/event-table.ts";
import { DEAD_LETTER_GUIDE, EVENT_RULES } from "../../src/roles/event-docs/event-rules.ts";
import { eventDescription, eventTopics } from "../../src/roles/event-docs/event-topics.ts";
import { renderEventDocs } from "../support/event-docs.ts";

const require = createRequire(import.meta.url);
const config = readConfig({});
const topics = eventTopics(config);
const messages = [
  ...new Map(topics.flatMap((topic) => topic.messages.map((each) => [each.id, each]))).values(),
];
const page = renderEventDocs(topics, {
  envelope: eventEnvelopeSchema,
  rules: EVENT_RULES,
  reasons: DEAD_LETTER_GUIDE,
});

/** Of the schema that the AsyncAPI initiative publishes for this version. */
function officialValidator(): ValidateFunction {
  const path = require.resolve("@asyncapi/specs/schemas/3.0.0.json");
  const schema = z.looseObject({}).parse(JSON.parse(readFileSync(path, "utf8")));
  // It brings the schema of schemas along, which the validator would have too.
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** As JSON makes it: without what is undefined. */
function describeEvents(env: Readonly<Record<string, string>> = {}): unknown {
  return JSON.parse(JSON.stringify(buildAsyncApi(eventDescription(readConfig(env), "1.0.0"))));
}

describe("the AsyncAPI document", () => {
  it("is one by the official schema of AsyncAPI 3.0", () => {
    const validate = officialValidator();
    validate(describeEvents());
    expect(validate.errors ?? []).toEqual([]);
    const { operations: _none, ...rest } = z.looseObject({}).parse(describeEvents());
    const misnamed = { ...rest, operations: { tell: { action: "publish" } } };
    expect(validate(misnamed)).toBe(false);
  });

  it("holds only schemas that a validator of draft 7 takes, and examples that fit them", () => {
    const document = z
      .object({
        components: z.object({
          messages: z.record(
            z.string(),
            z.object({
              payload: z.looseObject({}).optional(),
              headers: z.looseObject({}).optional(),
              examples: z
                .array(z.object({ payload: z.unknown(), headers: z.unknown().optional() }))
                .min(1),
            }),
          ),
        }),
      })
      .parse(describeEvents());
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    for (const [id, message] of Object.entries(document.components.messages)) {
      for (const part of ["payload", "headers"] as const) {
        const schema = message[part];
        if (schema === undefined) continue;
        const validate = ajv.compile(schema);
        for (const example of message.examples) {
          expect(validate(example[part]), `${id} ${JSON.stringify(validate.errors)}`).toBe(true);
        }
      }
    }
  });

  it("names the topics as this installation calls them", () => {
    const env = { KAFKA_TOPIC_PREFIX: "school1.", CLASS_CREATED_TOPIC: "classes" };
    const text = JSON.stringify(describeEvents(env));
    expect(text).toContain('"address":"school1.classes"');
    expect(text).toContain('"address":"school1.notifications.outcome.v1"');
    expect(text).not.toContain('"address":"notifications.');
  });

  it("resolves every reference in it", () => {
    const document = describeEvents();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(60);
    for (const [, path = ""] of references) {
      const target = path
        .split("/")
        .reduce<unknown>((node, name) => z.looseObject({}).parse(node)[name], document);
      expect(target, path).toBeDefined();
    }
  });
});

describe("the topics", () => {
  it("are all that the roles read, and nothing is read that is not described", () => {
    const readByProjectors = topics.filter(({ readBy }) => readBy === "the projector role");
    expect(readByProjectors.map(({ topic }) => topic).toSorted()).toEqual(
      subscribedTopics(config).toSorted(),
    );
    const others = topics.filter((topic) => !readByProjectors.includes(topic));
    expect(others.map(({ topic }) => topic)).toEqual([
      ...config.KAFKA_TEACHER_TOPICS,
      config.KAFKA_NOTIFICATIONS_TOPIC,
      config.KAFKA_OUTCOME_TOPIC,
      config.KAFKA_DEAD_LETTER_TOPIC,
    ]);
  });

  it("have names of their own", () => {
    const ids = topics.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("show examples that the schemas of the code take", () => {
    for (const { id, payload, headers, examples } of messages) {
      for (const example of examples) {
        expect(() => payload?.parse(example.payload), id).not.toThrow();
        expect(() => headers?.parse(example.headers), id).not.toThrow();
      }
    }
  });

  it("have an example of each domain event that shows all fields it must have", () => {
    for (const event of DOMAIN_EVENTS) {
      const message = messages.find(({ title }) => title === event.type);
      const example = z
        .object({ data: z.record(z.string(), z.unknown()) })
        .parse(message?.examples[0]?.payload);
      expect(event.read(example.data), event.type).toMatchObject({
        ok: true,
        facts: { userId: "teacher-17", isWorthTelling: true },
      });
    }
  });
});

describe("the headers of a dead letter", () => {
  const record = {
    topic: "t",
    partition: 3,
    offset: "9007199254740993",
    key: null,
    value: null,
    headers: { traceparent: Buffer.from("x") },
    timestamp: 1,
  };

  it.each(DEAD_LETTER_REASONS)("are described as they are written, for %s", (reason) => {
    const { headers = {} } = deadLetterRecord(
      { record, reason, detail: "what is wrong" },
      { group: "g", atMs: 2 },
    );
    const asRead = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]),
    );
    expect(readDeadLetterHeaders(asRead)).toMatchObject({
      "dlq-reason": reason,
      "dlq-offset": "9007199254740993",
    });
    const written = Object.keys(headers).filter((name) => name !== "traceparent");
    const { required } = z
      .object({ required: z.array(z.string()) })
      .parse(jsonSchemaOf(deadLetterHeadersSchema, { io: "input" }));
    expect(written.sort()).toEqual(required.sort());
  });
});

describe("docs/EVENTS.md", () => {
  it("is what the code says (vitest run -u writes it anew)", async () => {
    await expect(page).toMatchFileSnapshot("../../docs/EVENTS.md");
  });

  it("has every topic, every message's fields, and every reason of a dead letter", () => {
    for (const { topic } of topics) expect(page).toContain(`\`${topic}\``);
    for (const reason of DEAD_LETTER_REASONS)
      expect(page).toMatch(new RegExp(`^\\| \`${reason}\``, "m"));
    for (const { id, form, payload } of messages) {
      if (payload === undefined) continue;
      const { properties } = z
        .looseObject({ properties: z.record(z.string(), z.unknown()) })
        .parse(jsonSchemaOf(payload, { io: "input" }));
      const fields =
        form === "envelope"
          ? z.looseObject({ properties: z.looseObject({}) }).parse(properties["data"]).properties
          : properties;
      for (const name of Object.keys(fields)) {
        expect(page, id).toMatch(new RegExp(`^\\| \`${name}\``, "m"));
      }
    }
  });

  it("leads only to sections that it has", () => {
    const anchors = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );
    expect(new Set(titles).size).toBe(titles.length);
    expect(anchors.length).toBeGreaterThan(20);
    for (const anchor of anchors) expect(titles).toContain(anchor);
  });
});
