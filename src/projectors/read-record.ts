/**
 * From a Kafka record to a checked domain event. Events come in the envelope; one without it, whose
 * value is what would be `data`, has the type that its topic is for.
 */
import { z } from "zod";
import { epochMsOf, isWithinYears, OUT_OF_YEARS } from "../contract/event-time.ts";
import { eventEnvelopeSchema, type EventEnvelope } from "../contract/teacher-notification.ts";
import { canonicalJson } from "../platform/canonical-json.ts";
import { isRedriven } from "../platform/kafka/dead-letter-headers.ts";
import { readRecordObject } from "../platform/kafka/record-json.ts";
import type { KafkaRecord } from "../platform/kafka/records.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import { describeIssues, type DomainEvent, type DomainFacts } from "./domain-event.ts";
import type { EventTable } from "./event-table.ts";

/** W3C Trace Context, handed on so that a notification can be followed back to its cause. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** A domain event as it happened. */
export interface Occurrence {
  readonly event: DomainEvent;
  readonly facts: DomainFacts;
  readonly eventId: string;
  /** By the event's data, else its envelope, else its record. */
  readonly occurredAtMs: number;
  /** Whether an operator had it read once more, and so wants it told however old it is. */
  readonly redriven: boolean;
  readonly trace: TraceContext | undefined;
}

export type Reading =
  | { readonly kind: "occurrence"; readonly occurrence: Occurrence }
  | { readonly kind: "tombstone" }
  /** No event of ours; `detail` says what is wrong and where, without its values. */
  | {
      readonly kind: "unreadable";
      readonly reason: "invalid_json" | "invalid_event" | "unknown_event_type" | "poison";
      readonly detail: string;
      /** Its type, as far as it was recognised. */
      readonly event?: DomainEvent;
    };

type JsonObject = Readonly<Record<string, unknown>>;
type Unreadable = Extract<Reading, { kind: "unreadable" }>;

/** Both forms of event, brought to one. */
interface Statement {
  readonly kind: "statement";
  readonly event: DomainEvent;
  readonly data: unknown;
  readonly eventId: string | undefined;
  readonly eventTimestamp: string | undefined;
  readonly trace: TraceContext | undefined;
}

const bareIdSchema = eventEnvelopeSchema.shape.event_id.catch(undefined);
const traceSchema = z.object({
  traceparent: z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  tracestate: z.string().max(512).optional().catch(undefined),
});

function unreadable(reason: Unreadable["reason"], detail: string, event?: DomainEvent): Unreadable {
  return { kind: "unreadable", reason, detail, ...(event === undefined ? {} : { event }) };
}

function enveloped(envelope: EventEnvelope, table: EventTable): Statement | Unreadable {
  const event = table.ofType(envelope.event_type);
  if (event === undefined) {
    return unreadable("unknown_event_type", `no projector for ${envelope.event_type}`);
  }
  return {
    kind: "statement",
    event,
    data: envelope.data,
    eventId: envelope.event_id ?? undefined,
    eventTimestamp: envelope.event_timestamp ?? undefined,
    trace: envelope.metadata ? traceSchema.safeParse(envelope.metadata).data : undefined,
  };
}

function bare(data: JsonObject, topic: string, table: EventTable) {
  const event = table.ofTopic(topic);
  if (event === undefined) {
    return unreadable("invalid_event", "event_type: missing, and the topic is for no one type");
  }
  return {
    kind: "statement",
    event,
    data,
    eventId: bareIdSchema.parse(data["event_id"]) ?? undefined,
    eventTimestamp: undefined,
    trace: undefined,
  } satisfies Statement;
}

function statementOf(value: JsonObject, topic: string, table: EventTable): Statement | Unreadable {
  const isBare = !("event_type" in value) && !("data" in value);
  if (isBare) return bare(value, topic, table);
  const envelope = eventEnvelopeSchema.safeParse(value);
  if (!envelope.success) return unreadable("invalid_event", describeIssues(envelope.error));
  return enveloped(envelope.data, table);
}

/** Pure; throws on nothing that a topic can hold. */
export function readRecord(record: KafkaRecord, table: EventTable): Reading {
  if (record.value === null) return { kind: "tombstone" };
  const reading = readRecordObject(record.value);
  if (reading.kind === "fault") return unreadable(reading.reason, reading.detail);
  const statement = statementOf(reading.object, record.topic, table);
  if (statement.kind === "unreadable") return statement;

  const { event, data, eventTimestamp, trace } = statement;
  const result = event.read(data);
  if (!result.ok) return unreadable("invalid_event", result.issues, event);
  const time = result.facts.timestamp ?? eventTimestamp;
  const occurredAtMs = time === undefined ? record.timestamp : epochMsOf(time);
  // Times that are stated have been checked; producers stamp records with what they like.
  if (!isWithinYears(occurredAtMs)) {
    return unreadable("invalid_event", `the record's timestamp: ${OUT_OF_YEARS}`, event);
  }
  return {
    kind: "occurrence",
    occurrence: {
      event,
      facts: result.facts,
      // Of the event alone, not of the record: it may come on both of its topics.
      eventId: statement.eventId ?? sha256Hex(`${event.type}\n${canonicalJson(data)}`),
      occurredAtMs,
      redriven: isRedriven(record.headers),
      trace,
    },
  };
}
