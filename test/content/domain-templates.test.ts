/** What teachers hear of the services' own events: how urgent, by which way, and what stays private. */
import { describe, expect, it } from "vitest";
import { deadlineOf, hasExpired, pushTtlSeconds } from "../../src/content/deadline.ts";
import { collapseKey } from "../../src/content/url-pattern.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import {
  absences,
  dataFor,
  DEADLINE,
  locales,
  NOW,
  renderer,
  subject,
  template,
  templates,
} from "./fixtures.ts";

const HOUR_MS = 3_600_000;
const family = templates.list().filter((each) => each.family === "domain");
const everyTemplate = family.map((each) => [each.id, each] as const);
const matches = template("student_matches_suggested");
/** Beginning and end of what must not disturb the direction of the words around it. */
const ISOLATED = /\u2068[^\u2069]*\u2069/g;

describe("the services' events", () => {
  it.each([
    // What only concerns one file, essay or pupil stays in open tabs.
    ["batch_file_added", "file_operations", "standard", "websocket"],
    ["batch_file_removed", "file_operations", "standard", "websocket"],
    ["spellcheck_completed", "processing_results", "standard", "websocket"],
    ["essay_content_provisioned", "file_operations", "standard", "websocket"],
    ["student_created", "class_management", "standard", "websocket"],
    ["essay_student_association_updated", "class_management", "standard", "websocket"],
    ["essay_slot_assigned", "file_operations", "standard", "websocket"],
    // What concerns a batch also reaches somebody who is not looking.
    ["batch_essays_ready", "batch_progress", "standard", "websocket,push"],
    ["batch_content_provisioning_completed", "batch_progress", "standard", "websocket,push"],
    ["student_associations_confirmed", "student_workflow", "standard", "websocket,push"],
    ["validation_timeout_processed", "student_workflow", "standard", "websocket,push"],
    ["cj_assessment_completed", "processing_results", "standard", "websocket,push"],
    ["batch_phase_outcome", "batch_progress", "standard", "websocket,push"],
    // What holds up the work asks the teacher to do something.
    ["batch_validation_errors", "system_alerts", "immediate", "websocket,push"],
    ["essay_validation_failed", "system_alerts", "immediate", "websocket,push"],
    ["cj_assessment_failed", "system_alerts", "immediate", "websocket,push"],
    ["student_matches_suggested", "student_workflow", "immediate", "websocket,push,sms"],
  ])("tell of %s under %s with priority %s over %s", (id, category, priority, channels) => {
    const found = template(id);
    expect(found.family).toBe("domain");
    expect(found.notificationType).toBe(id);
    expect(found.category).toBe(category);
    expect(found.priority).toBe(priority);
    expect(found.channels.join(",")).toBe(channels);
    expect(found.actionRequired).toBe(priority === "immediate");
  });

  it("are these seventeen, beside the new class that the teachers' events tell of too", () => {
    expect(family).toHaveLength(17);
    expect(template("class_created").family).toBe("teacher");
  });

  it.each([
    ["student_matching", "student_matches_suggested"],
    ["batch_validation", "batch_validation_errors,essay_validation_failed"],
    ["students_associated", "student_associations_confirmed"],
    ["cj_assessment", "cj_assessment_completed"],
    ["processing_failed", "cj_assessment_failed"],
    ["batch_files", "batch_file_added"],
    ["class_roster", "student_created"],
  ])("that tell of the same as a teacher event of the family %s are %s", (name, ids) => {
    const own = family.filter((each) => each.dedupeFamily === name).map(({ id }) => id);
    expect(own.join(",")).toBe(ids);
    const counterparts = templates
      .list()
      .filter((each) => each.family === "teacher" && each.dedupeFamily === name);
    expect(counterparts).toHaveLength(1);
  });

  it.each(everyTemplate)("may hold for %s what services send, and more", (_id, each) => {
    const data = { ...dataFor(each), user_id: "teacher-001", one_day: { something: "else" } };
    expect(templates.checkData(each, data)).toEqual([]);
  });

  it.each(everyTemplate)("need for %s each field that a sentence or link rests on", (_id, each) => {
    const issues = templates.checkData(each, {});
    expect(issues.map(({ path }) => path).sort()).toEqual(
      each.dataSchema.required.map((name) => `data.${name}`).sort(),
    );
    expect(each.dataSchema.required.length).toBeGreaterThan(0);
  });

  it("are refused when a list or a count is something else", () => {
    const errors = template("batch_validation_errors");
    const odd = { ...dataFor(errors), validation_errors: ["too short"], error_count: -1 };
    expect(templates.checkData(errors, odd).map(({ path }) => path)).toEqual([
      "data.validation_errors.0",
      "data.error_count",
    ]);
  });
});

describe("the question about proposed authors", () => {
  const { confirmation_deadline: _deadline, ...open } = dataFor(matches);

  it("is worth an SMS, and nothing after its deadline", () => {
    expect(matches.smsTier).toBe("critical");
    const deadlineMs = deadlineOf(matches, dataFor(matches), NOW);
    expect(deadlineMs).toBe(Date.parse(DEADLINE));
    expect(hasExpired(matches, deadlineMs, Date.parse(DEADLINE) - 1)).toBe(false);
    expect(hasExpired(matches, deadlineMs, Date.parse(DEADLINE))).toBe(true);
  });

  it("stays with the push service until its deadline", () => {
    const inTwoHours = Date.parse(DEADLINE) - 2 * HOUR_MS;
    expect(pushTtlSeconds(matches, matches.priority, Date.parse(DEADLINE), inTwoHours)).toBe(7_200);
  });

  it("has a day where an event does not say how long, as its message says", () => {
    expect(deadlineOf(matches, open, NOW)).toBe(NOW + 24 * HOUR_MS);
  });

  it("leads to the page that the event names", () => {
    const about = subject(dataFor(matches));
    expect(renderer.link(matches, about)).toBe(dataFor(matches)["confirmation_url"]);
  });
});

describe.each(LOCALES)("in %s", (locale) => {
  it.each(everyTemplate)("%s shows nothing private outside the app", (_id, each) => {
    const canary = "Zyxwvut Canaryson";
    const data: Record<string, unknown> = {
      ...dataFor(each),
      validation_errors: [{ filename: canary, message: canary }],
      suggested_matches: [{ essay_id: canary, suggested_student_id: canary }],
    };
    const hidden = ["filename", "error_message", "message", "student_id", "essay_id", "phase"];
    for (const name of [...hidden, "outcome_status", "file_upload_id", "text_storage_id"]) {
      data[name] = canary;
    }
    const about = subject(data, { locale, studentId: canary });
    const shown = JSON.stringify([
      renderer.lockScreen(each, about),
      renderer.sms(each, about, "https://school.example/x"),
    ]);
    expect(shown).not.toMatch(/zyxwvut|canaryson/i);
  });

  it.each(everyTemplate)("%s prints no word of machines", (_id, each) => {
    for (const absent of absences(each)) {
      const about = subject(dataFor(each, absent), { locale });
      const { title, body } = renderer.inApp(each, about);
      expect(`${title} ${body}`).not.toMatch(/\w_\w|\d{4}-\d\d-\d\d/);
    }
  });

  it.each(["batch_validation_errors", "student_matches_suggested"])(
    "%s is a whole sentence where nobody counted",
    (id) => {
      const each = template(id);
      const counted = subject(dataFor(each), { locale });
      const uncounted = subject(dataFor(each, [each.plural ?? ""]), { locale });
      expect(renderer.inApp(each, counted).body).toMatch(/12/);
      expect(renderer.inApp(each, uncounted).body).not.toMatch(/12/);
      expect(renderer.inApp(each, uncounted).body).toContain("English essays, class 9A");
      expect(renderer.lockScreen(each, uncounted).body).toContain("English essays, class 9A");
    },
  );

  it.each(["batch_file_added", "batch_file_removed", "essay_validation_failed"])(
    "%s speaks of a file where its name is not known",
    (id) => {
      const each = template(id);
      const about = subject(dataFor(each, ["filename"]), { locale });
      const { body } = renderer.inApp(each, about);
      expect(body).toBe(renderer.lockScreen(each, about).body);
      expect(body).toContain("English essays, class 9A");
    },
  );

  it("each number has its own form of the sentence", () => {
    for (const each of family.filter(({ plural }) => plural !== undefined)) {
      const field = each.plural ?? "";
      const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
      const entries = locales.entries(locale, "domain")[each.id] ?? {};
      const needed = forms.filter((form) => form !== "many" || locale === "ar");
      for (const form of needed) expect(Object.keys(entries)).toContain(`body_${form}`);
      const data = { ...dataFor(each), batch_name: "Essays" };
      const say = (count: number) =>
        renderer.inApp(each, subject({ ...data, [field]: count }, { locale })).body;
      const said = [2, 3, 11, 100].map((count) => say(count).replace(String(count), "#"));
      expect(new Set(said).size, said.join("\n")).toBe(locale === "ar" ? 4 : 1);
      expect(say(4_711)).toMatch(/4\D?711/);
    }
  });
});

describe("counting", () => {
  it.each([
    ["en", 0, "One essay in B7 needed no changes."],
    ["en", 1, "1 change was made in one essay in B7."],
    ["en", 2, "2 changes were made in one essay in B7."],
    ["fr", 0, "Une copie de B7 n'a demandé aucune correction."],
    ["fr", 1, "1 correction a été faite dans une copie de B7."],
    ["es", 1, "Se hizo 1 corrección en un ensayo de B7."],
    ["sv", 2, "2 ändringar gjordes i en uppsats i B7."],
    ["zh", 2, "B7 中的一篇作文修改了 2 处。"],
    ["vi", 0, "Một bài luận trong B7 không cần sửa gì."],
    ["ar", 2, "أُجري تصحيحان على مقال في \u2068B7\u2069."],
    ["ar", 3, "أُجريت 3 تصحيحات على مقال في \u2068B7\u2069."],
  ])("corrections reads well in %s with %d", (locale, corrections_count, expected) => {
    const about = subject({ batch_id: "B7", corrections_count }, { locale });
    expect(renderer.inApp(template("spellcheck_completed"), about).body).toBe(expected);
  });
});

describe("names from elsewhere among Arabic words", () => {
  it.each(everyTemplate)("keep to themselves in %s", (_id, each) => {
    const about = subject(dataFor(each), { locale: "ar" });
    const texts = [renderer.inApp(each, about).body, renderer.lockScreen(each, about).body];
    for (const text of texts) {
      expect(text.replaceAll(ISOLATED, "")).not.toMatch(/English essays|second draft/);
    }
  });
});

describe("on the lock screen", () => {
  it.each(everyTemplate)("a newer %s replaces the older one of the same place", (_id, each) => {
    const here = collapseKey(each, dataFor(each));
    expect(here).not.toBeNull();
    expect(collapseKey(each, { ...dataFor(each), filename: "x", essay_id: "y" })).toBe(here);
    const elsewhere = { ...dataFor(each), batch_id: "batch-9", class_id: "class-9b" };
    expect(collapseKey(each, elsewhere)).not.toBe(here);
  });
});
