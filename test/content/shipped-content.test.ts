/** The templates and texts that come with the product: complete, consistent, and private where due. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkContent } from "../../src/content/check-content.ts";
import { loadLocales } from "../../src/content/locales.ts";
import { createReplies } from "../../src/content/replies.ts";
import { smsSize } from "../../src/content/sms-segments.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import { locales, LOCALES_DIR, template, templates } from "./fixtures.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

type Texts = Record<string, Record<string, string>>;

/** What the check says after one file of a copy of the texts was changed. */
function complaintsAfter(file: string, change: (texts: Texts) => void): string[] {
  const dir = mkdtempSync(join(tmpdir(), "texts-"));
  folders.push(dir);
  cpSync(LOCALES_DIR, dir, { recursive: true });
  const texts: Texts = JSON.parse(readFileSync(join(dir, file), "utf8"));
  change(texts);
  writeFileSync(join(dir, file), JSON.stringify(texts));
  return checkContent({ templates: templates.list(), locales: loadLocales({ dir }) });
}

function entry(texts: Texts, id: string): Record<string, string> {
  const found = texts[id];
  if (found === undefined) throw new Error(`no texts for ${id}`);
  return found;
}

describe("the answers to STOP, START and HELP", () => {
  it.each(LOCALES)("are there in %s, are short, and say how to change one's mind", (locale) => {
    const reply = createReplies(locales, locale);
    const [stop = "", start = "", help = ""] = (["stop", "start", "help"] as const).map(reply);
    expect(stop).toContain("START");
    expect(start).toContain("STOP");
    expect(help).toContain("STOP");
    const sizes = [stop, start, help].map(smsSize);
    const isCheap = ["en", "es", "sv", "fr"].includes(locale);
    for (const { encoding, segments } of sizes) {
      expect(encoding).toBe(isCheap ? "gsm7" : "ucs2");
      expect(segments).toBeLessThanOrEqual(isCheap ? 1 : 2);
    }
  });
});

describe("the shipped content", () => {
  it("has every sentence in all seven languages, and no gap that cannot be filled", () => {
    expect(LOCALES).toHaveLength(7);
    expect(checkContent({ templates: templates.list(), locales })).toEqual([]);
  });

  it.each([
    ["iep_meeting_reminder", "high", "websocket,push,sms", false, "iep_reminder"],
    ["iep_deadline_warning", "critical", "websocket,push,sms", true, "deadline_warning"],
    ["iep_document_ready", "standard", "websocket,push", false, "document_ready"],
    ["iep_parent_consent", "high", "websocket,push,sms", true, "consent_request"],
    ["iep_review_due", "standard", "websocket,push", true, "iep_reminder"],
    ["iep_progress_report", "standard", "websocket,push", false, "progress_report"],
    ["class_created", "standard", "websocket,push", false, "class_created"],
    ["announcement", "standard", "websocket,push", false, "announcement"],
    ["notice", "standard", "websocket,push", false, "notice"],
    [
      "student_matching_confirmation_required",
      "critical",
      "websocket,push,sms",
      true,
      "student_matching_confirmation_required",
    ],
  ])("offers %s with priority %s over %s", (id, priority, channels, action, type) => {
    const found = template(id);
    expect(found.priority).toBe(priority);
    expect(found.channels.join(",")).toBe(channels);
    expect(found.actionRequired).toBe(action);
    expect(found.notificationType).toBe(type);
  });

  it("lets only questions about authors expire", () => {
    const expirable = templates.list().filter((each) => each.expirable);
    expect(expirable.map(({ id }) => id).sort()).toEqual([
      "student_matches_suggested",
      "student_matching_confirmation_required",
      "student_matching_deadline_approaching",
    ]);
  });

  it("never declares a pupil's name public", () => {
    const exposed = templates.list().filter((each) => each.publicFields.has("student_name"));
    expect(exposed).toEqual([]);
  });
});

describe("the check of texts against templates", () => {
  it("finds a sentence that one language lacks", () => {
    const complaints = complaintsAfter("sv/iep.json", (texts) => {
      delete entry(texts, "iep_meeting_reminder")["title"];
    });
    expect(complaints).toEqual(["sv/iep.json: iep_meeting_reminder.title is missing"]);
  });

  it("finds a missing plural form of Arabic", () => {
    const complaints = complaintsAfter("ar/iep.json", (texts) => {
      delete entry(texts, "iep_deadline_warning")["public_body_two"];
    });
    expect(complaints).toEqual(["ar/iep.json: iep_deadline_warning.public_body_two is missing"]);
  });

  it("finds a pupil's name on the lock screen", () => {
    const complaints = complaintsAfter("fr/iep.json", (texts) => {
      entry(texts, "iep_document_ready")["public_body"] = "Document de {{student_name}}";
    });
    expect(complaints.join()).toContain("fr/iep.json: iep_document_ready.public_body uses");
    expect(complaints.join()).toContain("{{student_name}}");
  });

  it("finds a misspelt gap", () => {
    const complaints = complaintsAfter("en/teacher.json", (texts) => {
      entry(texts, "class_created")["body"] = "{{clas_name}} has been set up.";
    });
    expect(complaints.join()).toContain("class_created.body uses {{clas_name}}");
  });

  it("finds a sentence that needs an optional field it was written to do without", () => {
    const complaints = complaintsAfter("vi/iep.json", (texts) => {
      delete entry(texts, "iep_meeting_reminder")["body_without_location"];
    });
    expect(complaints.join()).toContain("iep_meeting_reminder.body uses {{location}}");
  });

  it("finds an SMS that does not end with its link", () => {
    const complaints = complaintsAfter("es/iep.json", (texts) => {
      entry(texts, "iep_document_ready")["sms"] = "{{link}} disponible";
    });
    expect(complaints.join()).toContain("iep_document_ready.sms does not end with {{link}}");
  });

  it("finds texts that nothing shows", () => {
    const complaints = complaintsAfter("zh/general.json", (texts) => {
      entry(texts, "announcement")["body_without_titel"] = "x";
      texts["anouncement"] = { title: "x" };
    });
    expect(complaints).toEqual([
      "zh/general.json: announcement.body_without_titel is never used",
      "zh/general.json: anouncement is not a template",
    ]);
  });
});
