/** The fifteen things teachers are told: how pressing each is, where it goes, what it says. */
import { describe, expect, it } from "vitest";
import { deadlineOf, hasExpired, pushTtlSeconds } from "../../src/content/deadline.ts";
import { collapseKey } from "../../src/content/url-pattern.ts";
import { dataFor, NOW, renderer, subject, template, templates } from "./fixtures.ts";

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const CATALOG = `
student_matching_confirmation_required | student_workflow   | critical  | yes | websocket,push,sms | 86400 | batch_id class_id unmatched_count
student_matching_deadline_approaching  | student_workflow   | critical  | yes | websocket,push,sms | 14400 | batch_id hours_remaining
batch_validation_failed                | system_alerts      | immediate | yes | websocket,push     | 14400 | batch_id error_count
batch_file_corrupted                   | system_alerts      | immediate | yes | websocket,push     | 14400 | batch_id filename
batch_registration_failed              | system_alerts      | immediate | yes | websocket,push     | 14400 | batch_id reason
batch_processing_completed             | batch_progress     | high      | no  | websocket,push     | 14400 | batch_id status
batch_processing_failed                | system_alerts      | high      | yes | websocket,push     | 14400 | batch_id
cj_assessment_results_ready            | processing_results | high      | no  | websocket,push     | 14400 | batch_id
batch_students_associated              | student_workflow   | standard  | no  | websocket,push     | 3600  | batch_id student_count
class_roster_updated                   | class_management   | standard  | no  | websocket,push     | 3600  | class_id added_count removed_count
class_created                          | class_management   | standard  | no  | websocket,push     | 3600  | class_id class_name
batch_files_uploaded                   | file_operations    | standard  | no  | websocket,push     | 3600  | batch_id file_count
batch_processing_started               | batch_progress     | low       | no  | websocket          | 300   | batch_id
batch_spellcheck_completed             | processing_results | low       | no  | websocket          | 300   | batch_id
batch_cj_assessment_completed          | processing_results | low       | no  | websocket          | 300   | batch_id
`
  .trim()
  .split("\n")
  .map((row) => row.split("|").map((cell) => cell.trim()));

describe("what teachers are told", () => {
  it("is these fifteen things", () => {
    const teacher = templates.list().filter(({ family }) => family === "teacher");
    expect(teacher.map(({ id }) => id).sort()).toEqual(CATALOG.map(([id = ""]) => id).sort());
  });

  it.each(CATALOG.map(([id = "", ...cells]) => [id, cells] as const))(
    "treats %s as it should",
    (id, cells) => {
      const each = template(id);
      const deadlineMs = deadlineOf(each, {}, NOW);
      expect([
        each.category,
        each.priority,
        each.actionRequired ? "yes" : "no",
        each.channels.join(","),
        String(pushTtlSeconds(each, each.priority, deadlineMs, NOW)),
        each.dataSchema.required.join(" "),
      ]).toEqual(cells);
      expect(each.notificationType).toBe(id);
    },
  );

  it("takes what services send for a finished batch, and more than that", () => {
    const data = { batch_id: "batch-456", batch_name: "Essay Batch 1", status: "completed" };
    const completed = template("batch_processing_completed");
    expect(templates.checkData(completed, { ...data, essays: [{ grade: 1 }] })).toEqual([]);
    expect(renderer.inApp(completed, subject(data)).title).toBe("All done with Essay Batch 1");
  });
});

describe("questions about authors", () => {
  const question = template("student_matching_confirmation_required");
  const warning = template("student_matching_deadline_approaching");

  it("are open for a day, and for four hours once the time is nearly over", () => {
    expect(deadlineOf(question, {}, NOW)).toBe(NOW + 24 * HOUR_MS);
    expect(deadlineOf(warning, {}, NOW)).toBe(NOW + 4 * HOUR_MS);
    expect(deadlineOf(warning, { deadline_timestamp: null }, NOW)).toBe(NOW + 4 * HOUR_MS);
  });

  it("are open until the deadline that is stated, and moot afterwards", () => {
    const data = { deadline_timestamp: "2026-08-12T11:00:00" };
    for (const each of [question, warning]) {
      const deadlineMs = deadlineOf(each, data, NOW);
      expect(deadlineMs).toBe(NOW + 2 * HOUR_MS);
      expect(pushTtlSeconds(each, "critical", deadlineMs, NOW)).toBe(7_200);
      expect(hasExpired(each, deadlineMs, NOW + 2 * HOUR_MS)).toBe(true);
      expect(hasExpired(each, deadlineMs, NOW + HOUR_MS)).toBe(false);
    }
  });

  it("are kept by a push service for a day at most", () => {
    const inAWeek = NOW + 168 * HOUR_MS;
    expect(pushTtlSeconds(warning, "critical", inAWeek, NOW)).toBe(DAY_SECONDS);
  });

  it.each([
    [0, "Less than an hour left to settle"],
    [1, "About 1 hour left to settle"],
    [1.5, "About 1.5 hours left to settle"],
    [4, "About 4 hours left to settle"],
  ])("count down: %d", (hours_remaining, expected) => {
    const about = subject({ ...dataFor(warning), hours_remaining });
    expect(renderer.inApp(warning, about).body).toContain(expected);
    expect(renderer.lockScreen(warning, about).body).toContain(expected);
    expect(renderer.sms(warning, about, "https://school.example/b")).toContain(expected);
  });
});

describe("what stays off the lock screen", () => {
  it.each([
    ["batch_file_corrupted", "filename", "Johnson Sarah essay.docx"],
    ["batch_registration_failed", "reason", "duplicate of Sarah's batch"],
    ["batch_processing_failed", "failed_phase", "spellcheck of Sarah"],
  ])("is of %s the %s", (id, field, value) => {
    const each = template(id);
    const about = subject({ ...dataFor(each), [field]: value });
    expect(renderer.inApp(each, about).body).toContain(value);
    const outside = [renderer.lockScreen(each, about), renderer.sms(each, about, "https://a.b/c")];
    expect(JSON.stringify(outside)).not.toContain("Sarah");
  });
});

describe("on the lock screen", () => {
  it("the latest news of a batch or a class stands for the older ones", () => {
    const key = (id: string) => collapseKey(template(id), { batch_id: "b-1", class_id: "c-1" });
    expect(key("batch_processing_completed")).toBe("batch_processing_completed:b-1");
    expect(key("class_roster_updated")).toBe("class_roster_updated:c-1");
    expect(key("student_matching_deadline_approaching")).toMatch(/:b-1$/);
  });

  it("each unreadable file and each new class is shown", () => {
    const data = { batch_id: "b-1", class_id: "c-1" };
    expect(collapseKey(template("batch_file_corrupted"), data)).toBeNull();
    expect(collapseKey(template("class_created"), data)).toBeNull();
  });
});

describe("two names for one occurrence", () => {
  it("share a family, across domain events and teacher events", () => {
    const families = new Map<string, string[]>();
    for (const { id, family, dedupeFamily } of templates.list()) {
      if (dedupeFamily === undefined) continue;
      families.set(dedupeFamily, [...(families.get(dedupeFamily) ?? []), `${family}/${id}`].sort());
    }
    expect(Object.fromEntries(families)).toEqual({
      student_matching: [
        "domain/student_matches_suggested",
        "teacher/student_matching_confirmation_required",
      ],
      batch_validation: [
        "domain/batch_validation_errors",
        "domain/essay_validation_failed",
        "teacher/batch_validation_failed",
      ],
      students_associated: [
        "domain/student_associations_confirmed",
        "teacher/batch_students_associated",
      ],
      cj_assessment: ["domain/cj_assessment_completed", "teacher/batch_cj_assessment_completed"],
      processing_failed: ["domain/cj_assessment_failed", "teacher/batch_processing_failed"],
      batch_files: ["domain/batch_file_added", "teacher/batch_files_uploaded"],
      class_roster: ["domain/student_created", "teacher/class_roster_updated"],
      class_created: ["teacher/class_created"],
    });
  });
});
