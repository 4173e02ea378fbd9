/** The desk of one teacher of a made-up term: what is on it, and what is said of that on the topics. */
import { TEACHER_TOPICS } from "./catalog.ts";
import type { JsonObject, TraceRecord } from "./trace-record.ts";

const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
/** The school day begins this long ago. */
export const DAY_MS = 8 * HOUR_MS;

/** Numbers that look random and are the same in every run. */
export type Dice = (below: number) => number;

/** One teacher's class and batch, and what is said of them. */
export interface Desk {
  readonly at: number;
  readonly teacher: string;
  readonly classId: string;
  readonly batchId: string;
  readonly students: readonly string[];
  readonly uploads: readonly {
    readonly upload: string;
    readonly essay: string;
    readonly file: string;
  }[];
  readonly records: TraceRecord[];
  /** A service says that something happened. @returns the event's id */
  happens(name: string, data: JsonObject): string;
  /** A service asks for a notification. @param about id of the event behind it */
  asks(type: string, about: string | undefined, rest: Request): void;
}

export interface Request {
  readonly category: string;
  readonly priority: string;
  readonly payload: JsonObject;
  readonly action?: boolean;
  readonly deadlineMs?: number;
}

const FILES = ["first draft.txt", "sjöresan.docx", "数学日记.pdf", "my dog 🐕.odt"];

export function createDesk(at: number, nowMs: number, dice: Dice): Desk {
  const id = (kind: string): string => `${kind}-${at}-${dice(1e9).toString(36)}`;
  const teacher = `tutor.${String(at).padStart(2, "0")}`;
  const classId = id("class");
  const batchId = id("batch");
  const records: TraceRecord[] = [];
  let clockMs = nowMs - DAY_MS;
  const tick = (): string => {
    clockMs += 1_000 + dice(5 * MINUTE_MS);
    return new Date(Math.min(clockMs, nowMs - 1_000)).toISOString();
  };
  return {
    at,
    teacher,
    classId,
    batchId,
    records,
    students: [id("student"), id("student")],
    uploads: Array.from({ length: 2 + dice(2) }, () => ({
      upload: id("upload"),
      essay: id("essay"),
      file: FILES[dice(FILES.length)] ?? "essay.txt",
    })),
    happens(name, data) {
      const eventId = id("event");
      const timestamp = tick();
      const key = typeof data["batch_id"] === "string" ? data["batch_id"] : classId;
      // Some producers leave the offset away; it is UTC all the same.
      const naive = dice(8) === 0 ? timestamp.slice(0, -1) : timestamp;
      const value = {
        event_id: eventId,
        event_type: `huleedu.${name}.v1`,
        event_timestamp: timestamp,
        source_service: "a_service",
        correlation_id: id("request"),
        data: {
          user_id: teacher,
          ...data,
          timestamp: naive,
        },
      };
      records.push({ topic: topicOf(name), key, value });
      return eventId;
    },
    asks(type, about, { category, priority, payload, action = false, deadlineMs }) {
      const eventId = id("event");
      const timestamp = tick();
      const deadline = deadlineMs === undefined ? null : new Date(nowMs + deadlineMs).toISOString();
      const data = {
        teacher_id: teacher,
        notification_type: type,
        category,
        priority,
        payload,
        timestamp,
        action_required: action,
        deadline_timestamp: deadline,
        correlation_id: about ?? id("cause"),
        batch_id: payload["batch_id"] ?? null,
        class_id: payload["class_id"] ?? null,
      };
      const topic = TEACHER_TOPICS[0];
      const value = { event_id: eventId, event_type: topic, event_timestamp: timestamp, data };
      records.push({ topic, key: teacher, value });
    },
  };
}

/** Services that use an event's second name publish it on the topic of the first. */
const SECOND_NAMES: ReadonlyMap<string, string> = new Map([
  ["file.essay.content.provisioned", "essay.content.provisioned"],
  ["file.essay.validation.failed", "essay.validation.failed"],
  ["class.student.created", "student.created"],
  ["class.essay.association.updated", "essay.student.association.updated"],
]);

const topicOf = (name: string): string => `huleedu.${SECOND_NAMES.get(name) ?? name}.v1`;

export function createDice(seed: number): Dice {
  // A linear congruential generator with the constants of Numerical Recipes.
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
