/** Writes docs/EVENTS.md from the topics themselves, so that the two cannot drift apart. */
import { z } from "zod";
import type { EventExample, EventMessage, EventTopic } from "../../src/http/asyncapi.ts";
import { jsonSchemaOf } from "../../src/http/json-schema.ts";
import type { DeadLetterReason } from "../../src/platform/kafka/dead-letters.ts";
import type { EventRule } from "../../src/roles/event-docs/event-rules.ts";
import { code, table } from "./markdown.ts";

const INTRODUCTION = `# Events

What Schoolbell reads from Kafka and what it writes there: for those who send events to it, or wait for outcomes. A running Schoolbell describes the same for programs, with its own topic names, at \`/asyncapi.json\` (AsyncAPI 3.0). Written from the code by \`test/roles/event-docs.test.ts\`; \`npm test -- test/roles -u\` writes it anew.

Names of topics are those of a plain installation. \`KAFKA_TOPIC_PREFIX\` stands in front of all of them, and each has a variable of its own (\`npm start -- --help\`).
`;

const schemaNode = z.looseObject({
  description: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  maxLength: z.number().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  default: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
});
type SchemaNode = z.infer<typeof schemaNode>;

interface Section {
  readonly topics: readonly EventTopic[];
  readonly first: EventTopic;
}

/** @param envelope the schema that events in an envelope share, apart from their `data` */
export function renderEventDocs(
  topics: readonly EventTopic[],
  words: {
    readonly envelope: z.ZodType;
    readonly rules: readonly EventRule[];
    readonly reasons: Readonly<Record<DeadLetterReason, string>>;
  },
): string {
  const sections = sectionsOf(topics);
  const overview = table(
    ["topic", "what", "written by", "read by"],
    topics.map((topic) => [
      code(topic.topic),
      `[${topic.title}](#${anchorOf(topic.title)})`,
      topic.writtenBy,
      topic.readBy,
    ]),
  );
  const rules = words.rules.map(({ title, text }) => `## ${title}\n\n${text}`);
  const reasons = table(
    ["reason", "what it means, and what helps"],
    Object.entries(words.reasons).map(([reason, text]) => [code(reason), text]),
  );
  return `${[
    INTRODUCTION.trim(),
    overview,
    ...rules,
    reasons,
    `## The envelope\n\n${fieldTable(nodeOf(words.envelope))}`,
    ...sections.map(renderSection),
  ].join("\n\n")}\n`;
}

/** Topics that carry the same are told of together. */
function sectionsOf(topics: readonly EventTopic[]): Section[] {
  const byMessages = Map.groupBy(topics, ({ messages }) => messages.map(({ id }) => id).join());
  return [...byMessages.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ topics: group, first }];
  });
}

function renderSection({ topics, first }: Section): string {
  const facts = [
    `Topic: ${topics.map(({ topic }) => code(topic)).join(", or ")}.`,
    `Written by ${first.writtenBy}. Read by ${first.readBy}.`,
    ...new Set(first.messages.map(({ key }) => `Key: ${key}.`)),
    ...first.notes,
  ];
  return [
    `## ${first.title}`,
    facts.map((fact) => `- ${fact}`).join("\n"),
    ...first.messages.flatMap((message) => renderMessage(message, first.messages.length > 1)),
  ].join("\n\n");
}

function renderMessage(message: EventMessage, named: boolean): string[] {
  const { title, form, payload, headers, examples } = message;
  const parts: string[] = named ? [`### ${title}`] : [];
  if (headers !== undefined) parts.push(fieldTable(nodeOf(headers), "header"));
  if (payload !== undefined) {
    const whole = nodeOf(payload);
    const data = form === "envelope" ? schemaNode.parse(whole.properties?.["data"]) : whole;
    parts.push(fieldTable(data, form === "envelope" ? "data" : "value"));
  }
  parts.push(...examples.map(renderExample));
  return parts;
}

function renderExample({ payload, headers }: EventExample): string {
  const shown = headers === undefined ? payload : { headers, value: payload };
  return `\`\`\`json\n${JSON.stringify(shown, null, 2)}\n\`\`\``;
}

const nodeOf = (schema: z.ZodType): SchemaNode =>
  schemaNode.parse(jsonSchemaOf(schema, { io: "input" }));

/** Required fields first. Whether null is taken is said once for all. */
function fieldTable({ properties = {}, required = [] }: SchemaNode, what = "field"): string {
  const names = Object.keys(properties);
  const isRequired = (name: string): boolean => required.includes(name);
  const ordered = [...names.filter(isRequired), ...names.filter((name) => !isRequired(name))];
  return table(
    [what, "", "type", ""],
    ordered.map((name) => {
      const node = schemaNode.parse(properties[name]);
      return [
        code(name),
        isRequired(name) ? "required" : "optional",
        typeOf(node),
        cell(node.description ?? ""),
      ];
    }),
  );
}

/** What a field may hold, in words. Throws on a schema that this page would describe wrongly. */
function typeOf(node: SchemaNode): string {
  if (node.anyOf !== undefined) {
    const others = node.anyOf
      .map((each) => schemaNode.parse(each))
      .filter((each) => each.type !== "null");
    return others.map(typeOf).join(" or ");
  }
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(", ");
  const types = [node.type ?? "anything"].flat().filter((type) => type !== "null");
  switch (types.join()) {
    case "string":
      return stringType(node);
    case "integer":
      return "whole number";
    case "number":
      return "number";
    case "boolean":
      return "true or false";
    case "array":
      return `list of ${typeOf(schemaNode.parse(node.items ?? {}))}`;
    case "object":
      return objectType(node);
    case "anything":
      return "anything";
    default:
      throw new Error(`no words for ${JSON.stringify(node)}`);
  }
}

function stringType({ format, pattern, maxLength }: SchemaNode): string {
  if (format === "date-time" || pattern?.startsWith(String.raw`^\d{4}-\d{2}-\d{2}T`) === true) {
    return "date-time";
  }
  if (pattern !== undefined) return `text matching ${code(pattern)}`;
  return maxLength === undefined ? "text" : `text, at most ${maxLength} characters`;
}

/** The names of what is in it; those that may be absent with a question mark. */
function objectType({ properties = {}, required = [] }: SchemaNode): string {
  const names = Object.keys(properties).map((name) =>
    code(required.includes(name) ? name : `${name}?`),
  );
  return names.length === 0 ? "object" : `object of ${names.join(", ")}`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** As GitHub makes it of a title. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
