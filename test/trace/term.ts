/**
 * A school term that never was, the same for the same seed: classes, batches of essays and all that
 * their services say of them, with everything in between that a topic can hold.
 */
import { addOddities, lateEvents } from "./term-oddities.ts";
import { halvesOf } from "./halves.ts";
import { createDesk, createDice, DAY_MS, HOUR_MS, type Desk, type Dice } from "./term-desk.ts";
import type { TraceRecord } from "./trace-record.ts";

export interface TermOptions {
  readonly seed: number;
  /** At least 16, so that every type rings in both halves. */
  readonly teachers: number;
  /** The last event lies just before. */
  readonly nowMs: number;
}

/** @returns what is settled first, then second, then what speaks of things known by then. */
export function makeTerm(options: TermOptions): [TraceRecord[], TraceRecord[], TraceRecord[]] {
  const dice = createDice(options.seed);
  const desks = Array.from({ length: options.teachers }, (_, at) =>
    createDesk(at, options.nowMs, dice),
  );
  for (const desk of desks) teach(desk, dice);
  const days = interleave(
    desks.map(({ records }) => records),
    dice,
  );
  const [first, second] = halvesOf(addOddities(days, desks, options.nowMs));
  return [first, second, lateEvents(desks, options.nowMs)];
}

/** Everything from the first day of a class to the end of its first batch. */
function teach(desk: Desk, dice: Dice): void {
  const { classId, students } = desk;
  const className = `Year ${7 + dice(3)}`;
  const created = desk.happens("class.created", { class_id: classId, class_name: className });
  const inClass = { category: "CLASS_MANAGEMENT", priority: "Standard" };
  const payload = { class_id: classId, class_name: className };
  desk.asks("class_created", created, { ...inClass, payload });
  for (const [turn, student] of students.entries()) {
    const name = turn === 0 ? "student.created" : "class.student.created";
    desk.happens(name, { class_id: classId, student_id: student });
  }
  const counts = { ...payload, added_count: students.length, removed_count: 0 };
  desk.asks("class_roster_updated", undefined, { ...inClass, payload: counts });
  upload(desk);
  // Two desks after each other go the same way: one of each half.
  const way = Math.floor(desk.at / 2) % 4;
  if (way === 0) refuse(desk);
  else match(desk, way);
}

function upload(desk: Desk): void {
  const { batchId: batch_id, uploads } = desk;
  for (const [
    turn,
    { upload: file_upload_id, essay: essay_id, file: filename },
  ] of uploads.entries()) {
    const file = { batch_id, file_upload_id, filename };
    desk.happens("file.batch.file.added", file);
    const provisioned =
      turn % 2 === 0 ? "essay.content.provisioned" : "file.essay.content.provisioned";
    desk.happens(provisioned, { ...file, essay_id });
    const slot = { slot_index: turn, text_storage_id: `store-${essay_id}` };
    desk.happens("els.essay.slot.assigned", { ...file, essay_id, ...slot });
  }
  const [first] = uploads;
  const gone = { batch_id, file_upload_id: first?.upload, filename: first?.file };
  desk.happens("file.batch.file.removed", gone);
  const payload = { batch_id, batch_name: `Essays ${desk.at}`, file_count: uploads.length };
  const how = { category: "file_operations", priority: "standard" };
  desk.asks("batch_files_uploaded", undefined, { ...how, payload });
  desk.asks("batch_file_corrupted", undefined, {
    category: "system_alerts",
    priority: "IMMEDIATE",
    action: true,
    payload: {
      batch_id,
      filename: first?.file,
    },
  });
}

/** The files do not pass, and nothing more comes of the batch. */
function refuse(desk: Desk): void {
  const { batchId: batch_id, uploads } = desk;
  const urgent = { category: "system_alerts", priority: "immediate", action: true };
  for (const [turn, { file: filename }] of uploads.entries()) {
    const name = turn % 2 === 0 ? "essay.validation.failed" : "file.essay.validation.failed";
    desk.happens(name, { batch_id, filename, error_message: "it has no words in it" });
  }
  const validation_errors = uploads.map(({ file: filename }) => ({ filename, code: "EMPTY" }));
  const about = desk.happens("batch.validation.errors", { batch_id, validation_errors });
  const payload = { batch_id, error_count: validation_errors.length };
  desk.asks("batch_validation_failed", about, { ...urgent, payload });
  const reason = "too few essays";
  desk.asks("batch_registration_failed", undefined, { ...urgent, payload: { batch_id, reason } });
}

function match(desk: Desk, way: number): void {
  const { batchId: batch_id, classId: class_id, uploads, students } = desk;
  const count = uploads.length;
  desk.happens("batch.essays.ready", { batch_id, essay_count: count });
  desk.happens("batch.content.provisioning.completed", { batch_id, provisioned_count: count });
  const soon = { category: "student_workflow", priority: "critical", action: true };
  const suggested_matches = uploads.map(({ essay: essay_id }, turn) => {
    const suggested_student_id = students[turn % students.length];
    return { essay_id, suggested_student_id, confidence_score: 0.5 };
  });
  const suggested = desk.happens("batch.author.matches.suggested", {
    batch_id,
    class_id,
    suggested_matches,
    confirmation_deadline: new Date(Date.parse(timeOf(desk)) + 2 * DAY_MS).toISOString(),
  });
  desk.asks("student_matching_confirmation_required", suggested, {
    ...soon,
    payload: { batch_id, class_id, unmatched_count: count },
    deadlineMs: 16 * HOUR_MS,
  });
  desk.asks("student_matching_deadline_approaching", undefined, {
    ...soon,
    payload: { batch_id, hours_remaining: 4 },
    deadlineMs: 4 * HOUR_MS,
  });
  const [essay] = uploads;
  const pair = { batch_id, essay_id: essay?.essay, student_id: students[0] };
  desk.happens("essay.student.association.updated", pair);
  desk.happens("class.essay.association.updated", { ...pair, student_id: students[1] });
  desk.happens("class.validation.timeout.processed", { batch_id, auto_confirmed_count: 1 });
  const confirmed = desk.happens("class.student.associations.confirmed", {
    batch_id,
    confirmed_count: count,
  });
  const workflow = { category: "student_workflow", priority: "standard" };
  const payload = { batch_id, student_count: count };
  desk.asks("batch_students_associated", confirmed, { ...workflow, payload });
  assess(desk, way);
}

function assess(desk: Desk, way: number): void {
  const { batchId: batch_id, uploads } = desk;
  const low = { priority: "low", payload: { batch_id } };
  desk.asks("batch_processing_started", undefined, { ...low, category: "batch_progress" });
  for (const { essay: essay_id } of uploads) {
    desk.happens("essay.spellcheck.completed", { batch_id, essay_id, corrections_count: 3 });
  }
  desk.asks("batch_spellcheck_completed", undefined, { ...low, category: "processing_results" });
  const phase = { batch_id, phase: "spellcheck", outcome_status: "completed" };
  desk.happens("els.batch.phase.outcome", phase);
  if (way === 1) {
    const failed = desk.happens("cj_assessment.failed", { batch_id, error_message: "no answer" });
    return desk.asks("batch_processing_failed", failed, {
      category: "system_alerts",
      priority: "high",
      action: true,
      payload: {
        batch_id,
        failed_phase: "cj_assessment",
      },
    });
  }
  const judged = { batch_id, assessment_id: `cj-${batch_id}`, comparison_count: 40 };
  const done = desk.happens("cj_assessment.completed", judged);
  const results = { category: "processing_results", payload: { batch_id } };
  desk.asks("batch_cj_assessment_completed", done, { ...results, priority: "low" });
  desk.asks("cj_assessment_results_ready", undefined, { ...results, priority: "high" });
  desk.asks("batch_processing_completed", undefined, {
    category: "batch_progress",
    priority: "HIGH",
    payload: {
      batch_id,
      status: "completed",
      note: null,
    },
  });
}

/** When the last thing happened at this desk. */
function timeOf({ records }: Desk): string {
  const value = records.at(-1)?.value;
  return typeof value === "object" && value !== null ? String(value["event_timestamp"]) : "";
}

/** Takes turns between the lists; each keeps its order. */
function interleave(lists: readonly (readonly TraceRecord[])[], dice: Dice): TraceRecord[] {
  const rest = lists.map((list) => [...list]);
  const all: TraceRecord[] = [];
  for (let open = rest; open.length > 0; open = open.filter((list) => list.length > 0)) {
    const next = open[dice(open.length)]?.shift();
    if (next !== undefined) all.push(next);
  }
  return all;
}
