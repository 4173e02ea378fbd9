/**
 * Takes chunks of domain events from Kafka, publishes what teachers should hear, and puts aside what
 * can never be used. Resolves only when all of that is certain.
 */
import type { Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config-schema.ts";
import { REDRIVEN_FROM_HEADER } from "../platform/kafka/dead-letter-headers.ts";
import type { DeadLetters } from "../platform/kafka/dead-letters.ts";
import type {
  ChunkHandler,
  KafkaProducer,
  KafkaRecord,
  OutgoingRecord,
} from "../platform/kafka/records.ts";
import { createEventTable, type EventTable, type TopicConfig } from "./event-table.ts";
import {
  createIntakeReport,
  type Fate,
  type IntakeReportOptions,
  type Told,
} from "./intake-report.ts";
import type { OwnerIndex } from "./owner-index.ts";
import { resolveOwners, type Ownable, type Ownership } from "./ownership.ts";
import { project, type ProjectedEvent } from "./projector.ts";
import { readRecord, type Occurrence, type Reading } from "./read-record.ts";

export interface ProjectorIntakeOptions extends IntakeReportOptions {
  readonly config: TopicConfig &
    Pick<Config, "TEACHER_NOTIFICATION_TOPIC" | "MAX_EVENT_AGE_SECONDS" | "EXPOSE_STORAGE_IDS">;
  readonly owners: Pick<OwnerIndex, "ownersOf" | "learn">;
  readonly producer: KafkaProducer;
  readonly deadLetters: DeadLetters;
  readonly clock: Pick<Clock, "now">;
}

/** A record that fails where nothing should is put aside: handed over again, it would fail again. */
function poison(error: unknown) {
  const name = error instanceof Error ? error.name : "unknown fault";
  return { reason: "poison", detail: `it cannot be projected (${name})` } as const;
}

function readSafely(record: KafkaRecord, table: EventTable): Reading {
  try {
    return readRecord(record, table);
  } catch (error) {
    return { kind: "unreadable", ...poison(error) };
  }
}

/** What an operator had read once more is to be told once more: who reads it next must know too. */
function projectedRecord(event: ProjectedEvent, { headers }: KafkaRecord): OutgoingRecord {
  const from = headers[REDRIVEN_FROM_HEADER];
  return {
    key: event.data.teacher_id,
    value: JSON.stringify(event),
    ...(from === undefined ? {} : { headers: { [REDRIVEN_FROM_HEADER]: from } }),
  };
}

function ownableOf({ event, facts }: Occurrence): Ownable {
  const { userId, batchId, classId } = facts;
  return { userId, batchId, classId, owns: event.owns };
}

/** @returns a handler that rejects only when Redis or Kafka cannot be relied on. */
export function createProjectorIntake(options: ProjectorIntakeOptions): ChunkHandler {
  const { config, owners, producer, deadLetters, clock } = options;
  const table = createEventTable(config);
  const report = createIntakeReport(options);
  const topic = `${config.KAFKA_TOPIC_PREFIX}${config.TEACHER_NOTIFICATION_TOPIC}`;
  const rules = {
    eventType: config.TEACHER_NOTIFICATION_TOPIC,
    maxAgeSeconds: config.MAX_EVENT_AGE_SECONDS,
    exposeStorageIds: config.EXPOSE_STORAGE_IDS,
  };

  function decide(occurrence: Occurrence, ownership: Ownership, nowMs: number): Fate {
    try {
      return project(occurrence, ownership, rules, nowMs);
    } catch (error) {
      return { kind: "invalid", ...poison(error) };
    }
  }

  function fateOf(reading: Reading, ownership: Ownership, nowMs: number): Fate {
    switch (reading.kind) {
      case "occurrence":
        return decide(reading.occurrence, ownership, nowMs);
      case "tombstone":
        return { kind: "skipped", reason: "tombstone" };
      case "unreadable":
        return { kind: "invalid", reason: reading.reason, detail: reading.detail };
    }
  }

  async function tell(records: readonly KafkaRecord[]): Promise<Told[]> {
    const readings = records.map((record) => ({ record, reading: readSafely(record, table) }));
    // Events too old to be told are asked about as well: they teach who owns what.
    const occurrences = readings.flatMap(({ reading }) =>
      reading.kind === "occurrence" ? reading.occurrence : [],
    );
    const ownerships = (await resolveOwners(occurrences.map(ownableOf), owners)).values();
    const nowMs = clock.now();
    return readings.map(({ record, reading }) => {
      const next = reading.kind === "occurrence" ? ownerships.next().value : undefined;
      return { record, reading, fate: fateOf(reading, next ?? { kind: "unknown" }, nowMs) };
    });
  }

  /** In the order of the records; the same teacher's stay in one partition. */
  async function publish(told: readonly Told[]): Promise<void> {
    const events = told.flatMap(({ record, fate }) =>
      fate.kind === "projected" ? projectedRecord(fate.event, record) : [],
    );
    if (events.length > 0) await producer.send(topic, events);
  }

  return async (records) => {
    const told = await tell(records);
    await publish(told);
    await deadLetters.write(
      told.flatMap(({ record, fate }) =>
        fate.kind === "rejected" || fate.kind === "invalid"
          ? { record, reason: fate.reason, detail: fate.detail }
          : [],
      ),
    );
    await report(told);
  };
}
