/** An intake on a real Redis whose producer keeps what is sent, and fails when told. */
import { z } from "zod";
import { createDeadLetters, type DeadLetterReason } from "../../src/platform/kafka/dead-letters.ts";
import type { KafkaProducer, OutgoingRecord } from "../../src/platform/kafka/records.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createProjectorIntake } from "../../src/projectors/intake.ts";
import type { ProjectorAuditEntry, ProjectorOutcome } from "../../src/projectors/intake-report.ts";
import { createOwnerIndex } from "../../src/projectors/owner-index.ts";
import type { ProjectedEvent } from "../../src/projectors/projector.ts";
import { createManualClock } from "../support/manual-clock.ts";
import type { TestRedis } from "../support/redis.ts";
import { NOW_MS, testConfig } from "./records.ts";

export const TEACHER_TOPIC = "huleedu.notification.teacher.requested.v1";
export const DEAD_LETTER_TOPIC = "huleedu.notification.dlq.v1";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const WARN_LEVEL = 40;
const logLine = z.looseObject({ level: z.number(), msg: z.string() });

export function openIntake(store: TestRedis, env: Readonly<Record<string, string>> = {}) {
  const config = testConfig(env);
  const clock = createManualClock(NOW_MS);
  const sends: { topic: string; records: readonly OutgoingRecord[] }[] = [];
  const log: LogLine[] = [];
  const audit: ProjectorAuditEntry[] = [];
  const outcomes: [type: string, outcome: ProjectorOutcome][] = [];
  const mismatches: string[] = [];
  let failure: { topic: string; error: Error } | undefined;

  const producer: KafkaProducer = {
    async send(topic, records) {
      if (failure?.topic === topic) throw failure.error;
      sends.push({ topic, records });
      await Promise.resolve();
    },
  };
  const owners = createOwnerIndex(store);
  const handle = createProjectorIntake({
    config,
    owners,
    producer,
    clock,
    deadLetters: createDeadLetters({
      producer,
      clock,
      topic: config.KAFKA_DEAD_LETTER_TOPIC,
      group: "test-projector",
    }),
    audit: {
      async add(entry) {
        audit.push(entry);
        await Promise.resolve();
      },
    },
    logger: createLogger({
      level: "debug",
      destination: { write: (text: string) => void log.push(logLine.parse(JSON.parse(text))) },
    }),
    onProjected: (type, outcome) => outcomes.push([type, outcome]),
    onOwnershipMismatch: (type) => mismatches.push(type),
  });
  const recordsOf = (topic: string) =>
    sends.filter((send) => send.topic === topic).flatMap(({ records }) => records);

  return {
    handle,
    owners,
    clock,
    sends,
    log,
    audit,
    outcomes,
    mismatches,
    /** What teachers are sent, in order. */
    published: () =>
      recordsOf(TEACHER_TOPIC).map((one) => ({
        key: one.key,
        // Made of such an event a moment ago.
        event: JSON.parse(String(one.value)) as ProjectedEvent,
      })),
    deadLetters: () =>
      recordsOf(DEAD_LETTER_TOPIC).map(({ value, headers = {} }) => ({
        value,
        reason: String(headers["dlq-reason"]) as DeadLetterReason, // one of ours
        detail: String(headers["dlq-detail"]),
      })),
    warnings: () => log.filter(({ level }) => level >= WARN_LEVEL),
    /** Nothing can be written to the topic until `undefined` is given. */
    fail(topic: string | undefined) {
      failure = topic === undefined ? undefined : { topic, error: new Error("no broker") };
    },
  };
}
