/** Texts as files: an installation may add and reword, and mistakes name their file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadLocales } from "../../src/content/locales.ts";
import { createRenderer } from "../../src/content/render.ts";
import { LOCALES_DIR, subject, template } from "./fixtures.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "texts-"));
  folders.push(dir);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}

const CLASS = { class_id: "c", class_name: "Biology 7" };

describe("an installation's own texts", () => {
  it("replace single sentences and leave the rest", () => {
    const extraDir = folderWith({
      "sv/teacher.json": '{"class_created": {"body": "{{class_name}} finns nu."}}',
    });
    const renderer = createRenderer({ locales: loadLocales({ dir: LOCALES_DIR, extraDir }) });
    const text = renderer.inApp(template("class_created"), subject(CLASS, { locale: "sv" }));
    expect(text).toMatchObject({ title: "En ny klass är klar", body: "Biology 7 finns nu." });
  });

  it("may be in English only: other languages read the English sentence", () => {
    const dir = folderWith({
      "en/teacher.json": JSON.stringify({
        student_matching_confirmation_required: {
          title: "Authors",
          body_one: "{{unmatched_count}} essay",
          body_other: "{{unmatched_count}} essays",
        },
      }),
    });
    const renderer = createRenderer({ locales: loadLocales({ dir }) });
    const say = (unmatched_count: number) => {
      const data = { batch_id: "b", class_id: "c", unmatched_count };
      const matching = template("student_matching_confirmation_required");
      return renderer.inApp(matching, subject(data, { locale: "zh" })).body;
    };
    expect([say(1), say(5), say(1)]).toEqual(["1 essay", "5 essays", "1 essay"]);
  });
});

describe("the installation's language", () => {
  it("is spoken to those who ask for none, or for one that is not there", () => {
    const locales = loadLocales({ dir: LOCALES_DIR });
    const renderer = createRenderer({ locales, defaultLocale: "vi" });
    const localeFor = (locale: string | undefined) =>
      renderer.inApp(template("class_created"), subject(CLASS, { locale })).locale;
    expect(localeFor(undefined)).toBe("vi");
    expect(localeFor("de")).toBe("vi");
    expect(localeFor("en-US")).toBe("en");
  });
});

describe("a text file with a mistake", () => {
  it.each([
    ["{", "en/iep.json"],
    ['{"iep_x": {"title": 7}}', "iep_x.title"],
    ['{"iep_x": {"title": ""}}', "iep_x.title"],
    ['{"iep_x": "title"}', "en/iep.json does not hold texts"],
  ])("%s is refused", (content, place) => {
    const dir = folderWith({ "en/iep.json": content });
    expect(() => loadLocales({ dir })).toThrow(place);
  });

  it("is not looked for in files of other rooms", () => {
    const dir = folderWith({ "en/ui.json": '{"send": "Send"}' });
    expect(loadLocales({ dir }).entries("en", "general")).toEqual({});
  });
});
