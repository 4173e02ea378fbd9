/** What else a topic holds beside sound events: what is broken, late, repeated, or another's. */
import { TEACHER_TOPICS } from "./catalog.ts";
import type { Desk } from "./term-desk.ts";
import { dataOf, isObject, textOf, type JsonObject, type TraceRecord } from "./trace-record.ts";

const HOUR_MS = 3_600_000;
/** Beyond the limit of a day, with room. */
const OLD_MS = 72 * HOUR_MS;
const FILE_ADDED = "huleedu.file.batch.file.added.v1";
const ESSAYS_READY = "huleedu.batch.essays.ready.v1";
const MATCHES_SUGGESTED = "huleedu.batch.author.matches.suggested.v1";

/** The same events with poison, tombstones and late ones among them, on partitions in use. */
export function addOddities(
  records: readonly TraceRecord[],
  desks: readonly Desk[],
  nowMs: number,
): TraceRecord[] {
  const odd = desks.flatMap((desk) => [...poison(desk), ...untimely(desk, nowMs)]);
  // Spread evenly: something comes before each of them, and something after.
  const all: TraceRecord[] = [];
  for (const [at, record] of records.entries()) {
    all.push(record);
    const from = Math.floor((at * odd.length) / records.length);
    const to = Math.floor(((at + 1) * odd.length) / records.length);
    all.push(...odd.slice(from, to));
  }
  return all;
}

/** One kind for each desk; the key puts it between the desk's own events. */
function poison({ at, teacher, batchId }: Desk): TraceRecord[] {
  const [topic] = TEACHER_TOPICS;
  const onDomain = (value: TraceRecord["value"]) => ({ topic: FILE_ADDED, key: batchId, value });
  const onTeacher = (value: TraceRecord["value"]) => ({ topic, key: teacher, value });
  const nobody = { notification_type: "class_created", category: "class_management" };
  const kinds: readonly TraceRecord[][] = [
    [onDomain("{ this is not JSON"), onTeacher("nor is this")],
    [onDomain('["a list"]'), onTeacher("42")],
    [onDomain(null), onTeacher(null)],
    [
      onDomain({ event_id: `odd-d${at}`, event_type: "huleedu.nothing.known.v1", data: {} }),
      onTeacher({ event_id: `odd-t${at}`, event_type: "huleedu.nothing.known.v1", data: {} }),
    ],
    [
      onDomain({ event_id: `odd-d${at}`, event_type: FILE_ADDED }),
      onTeacher({
        event_id: `odd-t${at}`,
        event_type: topic,
        data: {
          ...nobody,
          priority: "standard",
          payload: {},
        },
      }),
    ],
    [
      onTeacher({
        event_id: `odd-t${at}`,
        event_type: topic,
        data: {
          teacher_id: teacher,
          priority: "standard",
          payload: {},
          notification_type: "coffee_is_ready",
          category: "batch_progress",
        },
      }),
    ],
  ];
  return kinds[at % kinds.length] ?? [];
}

/** Old ones, old ones that still matter, and ones that came after their deadline. */
function untimely(
  { at, teacher, batchId, classId, students, uploads }: Desk,
  nowMs: number,
): TraceRecord[] {
  const time = (fromNowMs: number): string => new Date(nowMs + fromNowMs).toISOString();
  const event = (name: string, ageMs: number, data: JsonObject): TraceRecord => ({
    topic: name,
    key: batchId,
    value: {
      event_id: `late-${at}-${ageMs}`,
      event_type: name,
      event_timestamp: time(-ageMs),
      data: {
        user_id: teacher,
        batch_id: batchId,
        ...data,
        timestamp: time(-ageMs),
      },
    },
  });
  const request = (type: string, ageMs: number, more: JsonObject): TraceRecord => ({
    topic: TEACHER_TOPICS[0],
    key: teacher,
    value: {
      event_id: `late-${at}-${type}-${ageMs}`,
      event_type: TEACHER_TOPICS[0],
      data: {
        teacher_id: teacher,
        notification_type: type,
        category: "student_workflow",
        priority: "critical",
        payload: { batch_id: batchId },
        timestamp: time(-ageMs),
        ...more,
      },
    },
  });
  const matches = (deadlineMs: number): JsonObject => ({
    class_id: classId,
    suggested_matches: [{ essay_id: uploads[0]?.essay, suggested_student_id: students[0] }],
    confirmation_deadline: time(deadlineMs),
  });
  const kinds: readonly TraceRecord[][] = [
    [
      event(ESSAYS_READY, OLD_MS, { essay_count: 2 }),
      request("batch_students_associated", OLD_MS, { priority: "standard" }),
    ],
    [
      event(MATCHES_SUGGESTED, OLD_MS + 1, matches(5 * HOUR_MS)),
      request("student_matching_deadline_approaching", OLD_MS + 1, {
        deadline_timestamp: time(3 * HOUR_MS),
      }),
    ],
    [
      event(MATCHES_SUGGESTED, 5 * HOUR_MS, matches(-HOUR_MS)),
      request("student_matching_confirmation_required", 5 * HOUR_MS, {
        deadline_timestamp: time(-HOUR_MS),
      }),
    ],
  ];
  return kinds[at % kinds.length] ?? [];
}

/** What is said once it is known what belongs to whom, and what was said before. */
export function lateEvents(desks: readonly Desk[], nowMs: number): TraceRecord[] {
  return desks.flatMap((desk, at) => {
    const other = desks[(at + 1) % desks.length] ?? desk;
    switch (at % 4) {
      case 0:
        return repeats(desk);
      case 1:
        return withoutUser(desk, nowMs);
      case 2:
        return ofAnother(desk, other, nowMs);
      default:
        return withoutId(desk, nowMs);
    }
  });
}

/** The same events once more, and once on the other topic of theirs. */
function repeats({ records }: Desk): TraceRecord[] {
  const domain = records.find(({ topic }) => topic === "huleedu.student.created.v1");
  const teacher = records.find(({ topic }) => topic === TEACHER_TOPICS[0]);
  const again: TraceRecord[] = [];
  if (domain !== undefined) again.push({ ...domain, topic: "huleedu.class.student.created.v1" });
  if (teacher !== undefined) again.push(teacher, { ...teacher, topic: TEACHER_TOPICS[1] });
  // Another event about an occurrence that was told of already: it is not the same event.
  const pair = records.filter(
    ({ value }) =>
      isObject(value) && textOf(dataOf(value), "notification_type") === "class_created",
  );
  const more = pair.map((record) => ({
    ...record,
    value: isObject(record.value)
      ? { ...record.value, event_id: `${textOf(record.value, "event_id")}-more` }
      : null,
  }));
  return [...again, ...more];
}

/** The owner is looked up; where there is none, nobody hears of it. */
function withoutUser({ at, batchId, classId }: Desk, nowMs: number): TraceRecord[] {
  const timestamp = new Date(nowMs - 60_000).toISOString();
  const event = (id: string, batch: string, data: JsonObject): TraceRecord => ({
    topic: ESSAYS_READY,
    key: batch,
    value: {
      event_id: `lookup-${at}-${id}`,
      event_type: ESSAYS_READY,
      event_timestamp: timestamp,
      data: {
        batch_id: batch,
        essay_count: 5,
        timestamp,
        ...data,
      },
    },
  });
  return [
    event("batch", batchId, {}),
    event("class", `batch-of-${classId}`, { class_id: classId, user_id: null }),
    event("nobody", `batch-of-nobody-${at}`, {}),
  ];
}

/** Somebody is named who does not own the batch. */
function ofAnother({ at, teacher, batchId }: Desk, { teacher: wrong }: Desk, nowMs: number) {
  const timestamp = new Date(nowMs - 60_000).toISOString();
  const stamped = { event_timestamp: timestamp };
  const payload = { batch_id: batchId };
  const type = "batch_processing_started";
  const request = { notification_type: type, category: "batch_progress", priority: "low", payload };
  const asked = (teacherId: string, id: string): TraceRecord => ({
    topic: TEACHER_TOPICS[1],
    key: teacherId,
    value: {
      event_id: id,
      event_type: TEACHER_TOPICS[1],
      ...stamped,
      data: {
        teacher_id: teacherId,
        ...request,
        timestamp,
      },
    },
  });
  return [
    {
      topic: ESSAYS_READY,
      key: batchId,
      value: {
        event_id: `foreign-${at}`,
        event_type: ESSAYS_READY,
        ...stamped,
        data: {
          user_id: wrong,
          batch_id: batchId,
          essay_count: 5,
          timestamp,
        },
      },
    },
    asked(wrong, `foreign-${at}-asked`),
    asked(teacher, `own-${at}-asked`),
  ];
}

/** Without an event id; a bare one without an envelope; each on both of its topics. */
function withoutId({ teacher, batchId, students, classId }: Desk, nowMs: number): TraceRecord[] {
  const timestamp = new Date(nowMs - 60_000).toISOString();
  const data = { user_id: teacher, class_id: classId, student_id: `${students[0]}-b`, timestamp };
  const names = ["huleedu.student.created.v1", "huleedu.class.student.created.v1"];
  const bare = {
    teacher_id: teacher,
    notification_type: "batch_processing_completed",
    category: "batch_progress",
    priority: "high",
    timestamp,
    payload: {
      batch_id: batchId,
      batch_name: "The last of the term",
      status: "completed",
    },
  };
  return [
    ...names.map((name) => ({
      topic: name,
      key: classId,
      value: {
        event_type: name,
        event_timestamp: timestamp,
        data,
      },
    })),
    ...TEACHER_TOPICS.map((topic) => ({ topic, key: teacher, value: bare })),
  ];
}
