/** Records as a service writes them, and a handler that projects one without any owner known. */
import { randomBytes } from "node:crypto";
import { readConfig } from "../../src/platform/config.ts";
import type { Config } from "../../src/platform/config-schema.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import { createEventTable } from "../../src/projectors/event-table.ts";
import { resolveOwners } from "../../src/projectors/ownership.ts";
import { project, type Projection } from "../../src/projectors/projector.ts";
import { readRecord, type Reading } from "../../src/projectors/read-record.ts";
import { AT, sampleOf, USER, type Sample } from "./samples.ts";

/** Half a minute after what the samples tell. */
export const NOW_MS = Date.UTC(2026, 8, 1, 8);

export function testConfig(env: Readonly<Record<string, string>> = {}): Config {
  return readConfig({ NODE_ENV: "test", ...env });
}

let offsets = 0;

export function record(value: unknown, topic = "a.topic"): KafkaRecord {
  offsets += 1;
  return {
    topic,
    partition: 0,
    offset: String(offsets),
    key: null,
    value: value === null ? null : Buffer.isBuffer(value) ? value : Buffer.from(textOf(value)),
    headers: {},
    timestamp: NOW_MS,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An envelope around the sample's data, with what is given on top; undefined takes a field away. */
export function envelope(
  sample: Sample,
  data: Readonly<Record<string, unknown>> = {},
  fields: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    event_id: "event-1",
    event_type: sample.type,
    event_timestamp: AT,
    source_service: "a_service",
    correlation_id: "request-1",
    data: { user_id: USER, timestamp: AT, ...sample.data, ...data },
    ...fields,
  };
}

/** A batch that no other test speaks of. */
export function newBatch(): string {
  return `batch-${randomBytes(4).toString("hex")}`;
}

export const READY = sampleOf("batch_essays_ready");

/** The record of an event that a batch is ready. */
export function ready(
  batch_id: string,
  data: Readonly<Record<string, unknown>> = {},
  fields: Readonly<Record<string, unknown>> = {},
): KafkaRecord {
  return record(envelope(READY, { batch_id, ...data }, fields));
}

export function read(value: unknown, topic?: string, config = testConfig()): Reading {
  return readRecord(record(value, topic), createEventTable(config));
}

/** What one event becomes where no owner is known beforehand. */
export async function projected(value: unknown, env: Readonly<Record<string, string>> = {}) {
  const config = testConfig(env);
  const reading = read(value, undefined, config);
  if (reading.kind !== "occurrence") return reading;
  const { event, facts } = reading.occurrence;
  const { userId, batchId, classId } = facts;
  const [ownership] = await resolveOwners([{ userId, batchId, classId, owns: event.owns }], {
    ownersOf: async (owned) => await Promise.resolve(owned.map(() => undefined)),
    learn: async (claims) => await Promise.resolve(claims.map((claim) => claim.userId)),
  });
  const rules = {
    eventType: config.TEACHER_NOTIFICATION_TOPIC,
    maxAgeSeconds: config.MAX_EVENT_AGE_SECONDS,
    exposeStorageIds: config.EXPOSE_STORAGE_IDS,
  };
  return project(reading.occurrence, ownership ?? { kind: "unknown" }, rules, NOW_MS);
}

/** The event that came of it. @throws if none did */
export function eventOf(projection: Projection | Reading) {
  if (projection.kind === "projected") return projection.event;
  throw new Error(`not projected: ${JSON.stringify(projection)}`);
}
