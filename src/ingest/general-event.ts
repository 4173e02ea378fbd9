/** Records of the general topic: each value is a body of `POST /notify`, held to the same rules. */
import { deadlineOf } from "../content/deadline.ts";
import type { Template } from "../content/template.ts";
import { notificationRequestSchema } from "../contract/notification-request.ts";
import type { KafkaRecord } from "../platform/kafka/records.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import { faultsOf, traceparentOf, unusable, type EventReading } from "./incoming-event.ts";

/** @returns the request as an event, or why it can never be used; never throws. */
export function readGeneralEvent(
  value: Readonly<Record<string, unknown>>,
  record: KafkaRecord,
  templates: { get(id: string): Template | undefined },
): EventReading {
  const parsed = notificationRequestSchema.safeParse(value);
  if (!parsed.success) return unusable("invalid_request", faultsOf(parsed.error));
  const request = parsed.data;
  const template = templates.get(request.template_id);
  if (template === undefined) {
    return unusable("invalid_request", `There is no template ${request.template_id}.`);
  }
  const traceparent = traceparentOf(record.headers["traceparent"]);
  const occurredAtMs = record.timestamp;
  return {
    kind: "event",
    event: {
      submission: {
        request: { ...request, event_id: request.event_id ?? derivedEventId(record) },
        idempotencyKey: undefined,
        event: { occurredAtMs, ...(traceparent === undefined ? {} : { traceparent }) },
      },
      occurredAtMs,
      usefulUntilMs: latest(
        timeOf(request.send_at),
        deadlineOf(template, request.data, occurredAtMs),
      ),
      expiresAtMs: timeOf(request.expires_at),
      // Whoever may write to this topic may notify anyone, as a service with a token may.
      about: [],
    },
  };
}

/**
 * The record's place makes it: one that is delivered again is the same, while two that ask for the
 * same are two, as two requests without a key are.
 */
function derivedEventId({ topic, partition, offset, value }: KafkaRecord): string {
  return sha256Hex(`${topic}\n${partition}\n${offset}\n${value?.toString("base64") ?? ""}`);
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

function latest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
