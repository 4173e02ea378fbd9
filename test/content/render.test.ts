/** What people read: in the app, on a lock screen, in every language and time zone. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import {
  absences,
  dataFor,
  DEADLINE,
  MEETING,
  NOW,
  renderer,
  subject,
  template,
  templates,
  WARNING,
} from "./fixtures.ts";

const everyTemplate = templates.list().map((each) => [each.id, each] as const);

describe("in the app", () => {
  it("tells who, when and where about a meeting", () => {
    const text = renderer.inApp(template("iep_meeting_reminder"), subject(MEETING));
    expect(text).toEqual({
      title: "Support plan meeting: Sarah Johnson",
      body: "The meeting is on Monday, September 15, 2025 at 2:00 PM UTC. Place: Conference Room A.",
      dir: "ltr",
      locale: "en",
    });
  });

  it("tells what is to be done before a deadline, with the sender's count of days", () => {
    const text = renderer.inApp(template("iep_deadline_warning"), subject(WARNING));
    expect(text.body).toContain("5 days left");
    expect(text.body).toContain("Submit IEP review documents");
  });

  it("shows an announcement in its author's own words, line breaks and markup included", () => {
    const data = { title: "1 < 2 & {{body}}", body: "First line\nSecond $t(title) {{title}}" };
    const text = renderer.inApp(template("announcement"), subject(data));
    expect(text.title).toBe(data.title);
    expect(text.body).toBe(data.body);
  });

  it("takes the batch's id where it has no name", () => {
    const data = { batch_id: "batch-456", class_id: "c", unmatched_count: 2 };
    const matching = template("student_matching_confirmation_required");
    expect(renderer.inApp(matching, subject(data)).body).toContain("2 essays in batch-456 have");
  });

  it("takes ids from beside the data", () => {
    const data = { unmatched_count: 2 };
    const matching = template("student_matching_confirmation_required");
    const about = subject(data, { batchId: "batch-7" });
    expect(renderer.inApp(matching, about).body).toContain("in batch-7");
  });

  it("takes ids from beside the data for those that are null in it", () => {
    const data = { batch_id: null, unmatched_count: 2 };
    const matching = template("student_matching_confirmation_required");
    const about = subject(data, { batchId: "batch-7" });
    expect(renderer.inApp(matching, about).body).toContain("in batch-7");
  });

  it("says what it can without, and something whole, when required data never came", () => {
    const text = renderer.inApp(template("iep_meeting_reminder"), subject({}));
    expect(text).toMatchObject({ title: "Support plan meeting", body: "Sign in to read it." });
    const file = renderer.inApp(template("batch_file_corrupted"), subject({ batch_id: "b-1" }));
    expect(file.body).toBe("A file in b-1 could not be read. Please send a new copy.");
  });
});

describe.each(everyTemplate)("%s", (_id, each) => {
  const cases = LOCALES.flatMap((locale) =>
    absences(each).map((absent) => ({ locale, absent: absent.join(" ") || "nothing" })),
  );

  it.each(cases)("reads well in $locale without $absent", ({ locale, absent }) => {
    const about = subject(dataFor(each, absent.split(" ")), { locale });
    const inApp = renderer.inApp(each, about);
    const lockScreen = renderer.lockScreen(each, about);
    const nothing = renderer.inApp(template("notice"), subject({}, { locale }));
    for (const text of [inApp.title, inApp.body, lockScreen.title, lockScreen.body]) {
      expect(text).not.toMatch(/undefined|null|NaN|Invalid|\{\{|\}\}|\[object/);
      expect(text).not.toMatch(/ {2}|\s[.。,]|:\s*$|：\s*$|\(\s*\)/);
      if (each.id !== "notice") expect([nothing.title, nothing.body]).not.toContain(text);
    }
    expect(inApp.locale).toBe(locale);
    expect(inApp.dir).toBe(locale === "ar" ? "rtl" : "ltr");
    for (const action of lockScreen.actions) expect(action.title).not.toBe("");
    expect(lockScreen.actions).toHaveLength(each.actions.length);
  });

  it.each(LOCALES)("shows nothing private outside the app in %s", (locale) => {
    const canary = "Zyxwvut Canaryson";
    const data = dataFor(each);
    for (const [name, value] of Object.entries(data)) {
      if (typeof value === "string" && !each.publicFields.has(name)) data[name] = canary;
    }
    data["student_name"] = canary;
    data["error_message"] = canary;
    const about = subject(data, { locale, studentId: canary });
    const shown = JSON.stringify([
      renderer.lockScreen(each, about),
      renderer.sms(each, about, "https://school.example/x"),
      renderer.link(each, about),
    ]);
    expect(shown).not.toMatch(/zyxwvut|canaryson/i);
  });

  it("fits a push message even with the longest values its schema allows", () => {
    const data = dataFor(each);
    for (const [name, value] of Object.entries(data)) {
      const longest = each.dataSchema.properties[name]?.["maxLength"];
      if (each.dateFields.has(name) || typeof value !== "string") continue;
      if (typeof longest === "number") data[name] = "界".repeat(longest);
    }
    const text = renderer.lockScreen(each, subject(data, { locale: "ar" }));
    const MAX_TEXT_BYTES = 3_400;
    expect(Buffer.byteLength(JSON.stringify(text))).toBeLessThan(MAX_TEXT_BYTES);
  });
});

describe("the lock screen", () => {
  it("leads to the plan, or to the list of plans where none is named", () => {
    const reminder = template("iep_meeting_reminder");
    const { iep_id: _iep, ...without } = MEETING;
    expect(renderer.lockScreen(reminder, subject(MEETING)).url).toBe("/iep/iep_12345");
    const bare = renderer.lockScreen(reminder, subject(without));
    expect(bare.url).toBe("/iep");
    expect(bare.actions).toEqual([]);
  });

  it("shows an announcement's title and keeps its body for those who signed in", () => {
    const data = {
      title: "Closed on Friday",
      body: "Boiler broke",
      url: "https://school.example/n",
    };
    const text = renderer.lockScreen(template("announcement"), subject(data));
    expect(text).toMatchObject({ body: "Closed on Friday", url: data.url });
    expect(JSON.stringify(text)).not.toContain("Boiler");
  });

  it.each(["javascript:alert(1)", "//evil.example", "/\\evil.example", "http://evil.example"])(
    "does not lead to %s",
    (url) => {
      const about = subject({ title: "t", body: "b", url });
      expect(renderer.lockScreen(template("announcement"), about).url).toBe("/");
    },
  );

  it("keeps an odd id inside its own part of the path", () => {
    const reminder = template("iep_document_ready");
    const urlOf = (iep_id: string) =>
      renderer.link(reminder, subject({ student_name: "A B", iep_id }));
    expect(urlOf("a/../../admin?x=1")).toBe("/iep/a%2F..%2F..%2Fadmin%3Fx%3D1");
    expect(urlOf("..")).toBe("/");
  });

  it("drops a place in which the sender wrote the pupil's name", () => {
    const about = subject({ ...MEETING, location: "At the Johnsons' home" });
    const text = renderer.lockScreen(template("iep_meeting_reminder"), about);
    expect(text.body).toBe("The meeting is on Monday, September 15, 2025 at 2:00 PM UTC.");
  });

  it("is one line whatever the sender put into a field", () => {
    const about = subject({ ...MEETING, location: "Room\r\n\u0000 7" });
    const text = renderer.lockScreen(template("iep_meeting_reminder"), about);
    expect(text.body).toContain("Place: Room 7.");
  });
});

describe("whatever a caller sends", () => {
  it("appears as it is or not at all, and never breaks rendering", () => {
    const anything = fc.dictionary(
      fc.constantFrom("student_name", "meeting_date", "location", "iep_id", "attendees"),
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.integer(),
        fc.constant(null),
        fc.array(fc.string()),
      ),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom(...LOCALES), (data, locale) => {
        const about = subject(data, { locale, now: NOW, deadline: DEADLINE });
        const reminder = template("iep_meeting_reminder");
        const texts = [renderer.inApp(reminder, about), renderer.lockScreen(reminder, about)];
        for (const { title, body } of texts) {
          expect(title).not.toBe("");
          expect(body).not.toBe("");
          expect(body.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it("keeps {{gaps}} and $t(keys) in values as plain characters", () => {
    fc.assert(
      fc.property(fc.constantFrom("{{student_name}}", "$t(title)", "{{- x}}", "$1 $&"), (odd) => {
        const about = subject({ ...MEETING, location: odd });
        const text = renderer.lockScreen(template("iep_meeting_reminder"), about);
        expect(text.body.endsWith(`Place: ${odd}.`)).toBe(true);
      }),
    );
  });
});
