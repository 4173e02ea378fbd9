/** Seven languages, their plurals, and dates in the reader's own time zone. */
import { describe, expect, it } from "vitest";
import { dataFor, MEETING, renderer, subject, template, WARNING } from "./fixtures.ts";

describe("languages", () => {
  it.each([
    ["sv", "sv"],
    ["sv-FI", "sv"],
    ["zh-Hant-TW", "zh"],
    ["ES_mx", "es"],
    ["AR", "ar"],
    ["de-AT", "en"],
    ["", "en"],
    [undefined, "en"],
  ])("gives somebody who asks for %s texts in %s", (requested, expected) => {
    const about = subject(MEETING, { locale: requested });
    expect(renderer.inApp(template("iep_meeting_reminder"), about).locale).toBe(expected);
  });

  it("writes dates the reader's way within a language", () => {
    const about = subject(MEETING, { locale: "en-GB" });
    const { body } = renderer.inApp(template("iep_meeting_reminder"), about);
    expect(body).toContain("Monday, 15 September 2025 at 14:00 UTC");
  });

  it("keeps foreign names from disturbing the order of Arabic words", () => {
    const about = subject(MEETING, { locale: "ar" });
    const { title, dir } = renderer.inApp(template("iep_meeting_reminder"), about);
    expect(dir).toBe("rtl");
    expect(title).toContain("\u2068Sarah Johnson\u2069");
  });

  it.each([
    [0, "اليوم هو آخر يوم"],
    [1, "بقي يوم واحد"],
    [2, "بقي يومان"],
    [3, "بقيت 3 أيام"],
    [11, "بقي 11 يومًا"],
    [100, "بقي 100 يوم "],
  ])("counts %d days in Arabic", (days_remaining, expected) => {
    const about = subject({ ...WARNING, days_remaining }, { locale: "ar" });
    const warning = template("iep_deadline_warning");
    expect(renderer.inApp(warning, about).body).toContain(expected);
    expect(renderer.lockScreen(warning, about).body).toContain(expected);
  });

  it.each([
    ["en", "1 day left", "2 days left", "Today is the last day"],
    ["es", "Queda 1 día", "Quedan 2 días", "Hoy es el último día"],
    ["sv", "1 dag kvar", "2 dagar kvar", "I dag är sista dagen"],
    ["fr", "Il reste 1 jour", "Il reste 2 jours", "C'est le dernier jour"],
    ["zh", "还剩 1 天", "还剩 2 天", "今天是最后一天"],
    ["vi", "Còn 1 ngày", "Còn 2 ngày", "Hôm nay là ngày cuối"],
  ])("counts days in %s", (locale, one, two, none) => {
    const say = (days_remaining: number) =>
      renderer.inApp(
        template("iep_deadline_warning"),
        subject({ ...WARNING, days_remaining }, { locale }),
      ).body;
    expect(say(1)).toMatch(new RegExp(`^${one} ?[(（]`));
    expect(say(2)).toMatch(new RegExp(`^${two} ?[(（]`));
    expect(say(0)).toContain(none);
  });

  it.each([
    ["en", 1, "1 file arrived"],
    ["en", 0, "0 files arrived"],
    ["es", 1, "Llegó 1 archivo"],
    ["es", 2, "Llegaron 2 archivos"],
    ["sv", 1, "1 fil har"],
    ["sv", 2, "2 filer har"],
    ["fr", 0, "0 fichier est arrivé"],
    ["fr", 2, "2 fichiers sont arrivés"],
    ["ar", 0, "لم يصل أي ملف"],
    ["ar", 1, "وصل ملف واحد"],
    ["ar", 2, "وصل ملفان"],
    ["ar", 3, "وصلت 3 ملفات"],
    ["ar", 11, "وصل 11 ملفًا"],
    ["ar", 100, "وصل 100 ملف إلى"],
    ["zh", 2, "2 个文件"],
    ["vi", 2, "2 tệp"],
  ])("counts files in %s: %d", (locale, file_count, expected) => {
    const files = template("batch_files_uploaded");
    const about = subject({ ...dataFor(files), file_count }, { locale });
    expect(renderer.inApp(files, about).body).toContain(expected);
    expect(renderer.lockScreen(files, about).body).toContain(expected);
  });

  it("groups large numbers as the language does", () => {
    const data = { ...dataFor(template("student_matching_confirmation_required")) };
    data["unmatched_count"] = 12_345;
    const about = subject(data, { locale: "sv" });
    const { body } = renderer.inApp(template("student_matching_confirmation_required"), about);
    expect(body).toMatch(/^12\s345 uppsatser/);
  });
});

const bodyIn = (timezone: string | undefined) =>
  renderer.inApp(template("iep_meeting_reminder"), subject(MEETING, { timezone })).body;

describe("time", () => {
  const reminder = template("iep_meeting_reminder");

  it("shows the reader's own time, and names the zone only when it is not known", () => {
    expect(bodyIn("Asia/Ho_Chi_Minh")).toContain("September 15, 2025 at 9:00 PM.");
    expect(bodyIn("America/New_York")).toContain("September 15, 2025 at 10:00 AM.");
    expect(bodyIn(undefined)).toContain("2:00 PM UTC");
    expect(bodyIn("Nowhere/Else")).toContain("2:00 PM UTC");
  });

  it("changes the day with the zone", () => {
    const about = subject(WARNING, { timezone: "Asia/Shanghai" });
    const { body } = renderer.inApp(template("iep_deadline_warning"), about);
    expect(body).toContain("Sunday, September 21, 2025");
  });

  it.each([
    ["2025-09-15T16:00:00+02:00", "2:00 PM UTC"],
    ["2025-09-15T14:00:00", "2:00 PM UTC"],
    ["2025-09-15T14:00:00.123456", "2:00 PM UTC"],
  ])("reads %s", (meeting_date, expected) => {
    const about = subject({ ...MEETING, meeting_date });
    expect(renderer.inApp(reminder, about).body).toContain(expected);
  });

  it("counts the days itself, by midnights of the reader's calendar", () => {
    const { days_remaining: _days, ...data } = WARNING;
    const say = (now: string, timezone?: string) =>
      renderer.lockScreen(
        template("iep_deadline_warning"),
        subject(data, { now: Date.parse(now), timezone, deadline: WARNING.deadline_date }),
      );
    expect(say("2025-09-15T08:00:00Z").body).toContain("5 days left");
    expect(say("2025-09-19T23:00:00Z").body).toContain("1 day left");
    expect(say("2025-09-19T23:00:00Z", "Asia/Shanghai").body).toContain("1 day left");
    expect(say("2025-09-20T02:00:00Z", "America/New_York").body).toContain("1 day left");
    expect(say("2025-09-20T08:00:00Z").body).toContain("Today is the last day");
    const late = say("2025-09-21T08:00:00Z");
    expect(late.title).toBe("Support plan deadline passed");
    expect(late.body).toContain("The deadline was Saturday, September 20, 2025");
  });
});
