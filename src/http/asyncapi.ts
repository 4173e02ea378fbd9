/** Describes the topics as an AsyncAPI 3.0 document, from the same schemas that validate. */
import { z } from "zod";
import { jsonSchemaOf, type Json } from "./json-schema.ts";
import { publicRoute, type Route } from "./route.ts";

/** One kind of record on a topic. */
export interface EventMessage {
  /** Its name in the document: `BatchEssaysReady`. Topics that share it give the same object. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** `envelope`: what it is about is in `data`; `bare`: it is all there is; `bytes`: anything. */
  readonly form: "envelope" | "bare" | "bytes";
  /** Absent where the value may be anything. */
  readonly payload?: z.ZodType;
  readonly headers?: z.ZodType;
  /** What the key of a record is: records of equal key keep their order. */
  readonly key: string;
  /** Values as they travel, each fit for the schema; for the headers too, where there are any. */
  readonly examples: readonly EventExample[];
}

export interface EventExample {
  readonly name: string;
  readonly payload: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface EventTopic {
  /** Its name in the document: `batchEssaysReady`. */
  readonly id: string;
  /** The full name, as the broker knows it. */
  readonly topic: string;
  readonly title: string;
  readonly summary: string;
  readonly writtenBy: string;
  readonly readBy: string;
  /** Markdown: what else a writer or reader of this topic must know. */
  readonly notes: readonly string[];
  /** What Schoolbell does with it: `receive` with its consumer group, `send`. */
  readonly uses: readonly EventUse[];
  readonly messages: readonly EventMessage[];
}

export type EventUse =
  | { readonly action: "receive"; readonly summary: string; readonly groupId: string }
  | { readonly action: "send"; readonly summary: string };

export interface AsyncApiOptions {
  readonly topics: readonly EventTopic[];
  readonly version: string;
  readonly title: string;
  /** Markdown. */
  readonly description: string;
}

/** Of the Kafka bindings, whose versions are not AsyncAPI's. */
const BINDING_VERSION = "0.5.0";

/** Pure: the document as an object, ready for JSON. */
export function buildAsyncApi({ topics, version, title, description }: AsyncApiOptions): Json {
  const messages = new Map(
    topics.flatMap((topic) => topic.messages.map((each) => [each.id, each])),
  );
  return {
    asyncapi: "3.0.0",
    info: { title, version, description, license: { name: "MIT" } },
    defaultContentType: "application/json",
    channels: Object.fromEntries(topics.map((topic) => [topic.id, channel(topic)])),
    operations: Object.fromEntries(topics.flatMap(operations)),
    components: {
      messages: Object.fromEntries([...messages].map(([id, each]) => [id, message(each)])),
    },
  };
}

function channel({ topic, title, summary, writtenBy, readBy, notes, messages }: EventTopic): Json {
  return {
    address: topic,
    title,
    summary,
    description: [`Written by ${writtenBy}, read by ${readBy}.`, ...notes].join("\n\n"),
    messages: Object.fromEntries(
      messages.map(({ id }) => [id, { $ref: `#/components/messages/${id}` }]),
    ),
    bindings: { kafka: { topic, bindingVersion: BINDING_VERSION } },
  };
}

function operations({ id, uses, messages }: EventTopic): [string, Json][] {
  const capitalized = id.charAt(0).toUpperCase() + id.slice(1);
  return uses.map((use) => [
    `${use.action}${capitalized}`,
    {
      action: use.action,
      channel: { $ref: `#/channels/${id}` },
      summary: use.summary,
      messages: messages.map((each) => ({ $ref: `#/channels/${id}/messages/${each.id}` })),
      ...(use.action === "receive"
        ? {
            bindings: {
              kafka: {
                groupId: { type: "string", enum: [use.groupId] },
                bindingVersion: BINDING_VERSION,
              },
            },
          }
        : {}),
    },
  ]);
}

function message(each: EventMessage): Json {
  const { id, title, summary, form, payload, headers, key, examples } = each;
  return {
    name: id,
    title,
    summary,
    contentType: form === "bytes" ? "application/octet-stream" : "application/json",
    ...(payload === undefined ? {} : { payload: schemaOf(payload) }),
    ...(headers === undefined ? {} : { headers: schemaOf(headers) }),
    ...(form === "bytes"
      ? {}
      : { correlationId: { location: "$message.payload#/correlation_id" } }),
    bindings: {
      kafka: { key: { type: "string", description: key }, bindingVersion: BINDING_VERSION },
    },
    examples,
  };
}

const schemaOf = (schema: z.ZodType): Json =>
  jsonSchemaOf(schema, { io: "input", target: "draft-7" });

/** `GET /asyncapi.json`. The document is built on first use. */
export function asyncApiRoute(options: AsyncApiOptions): Route {
  let document: string | undefined;
  return publicRoute({
    method: "get",
    path: "/asyncapi.json",
    summary: "The topics and events of Kafka, for machines",
    tag: "Operations",
    rateLimit: "none",
    responses: { 200: { description: "an AsyncAPI 3.0 document", schema: z.looseObject({}) } },
    problems: [],
    handle() {
      document ??= JSON.stringify(buildAsyncApi(options));
      return {
        status: 200,
        body: document,
        type: "application/json; charset=utf-8",
        headers: { "Cache-Control": "no-cache" },
      };
    },
  });
}
