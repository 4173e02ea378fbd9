/** Templates as files: mistakes stop the start with their place, data is checked with its place. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadTemplates } from "../../src/content/registry.ts";
import { collapseKey } from "../../src/content/url-pattern.ts";
import { MEETING, template, templates, TEMPLATES_DIR, WARNING } from "./fixtures.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const GOOD = `id: snow_day
family: general
source_service: school
category: system_alerts
priority: high
action_required: false
channels: [websocket, push]
public_fields: [place]
url: /news
data:
  type: object
  required: [place]
  properties:
    place: { type: string, maxLength: 100 }
    start_date: { type: string, format: date-time }
`;

function folderWith(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), "templates-"));
  folders.push(dir);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}

function loadOne(yaml: string, name = "general/snow_day.yaml") {
  return loadTemplates({ dir: folderWith({ [name]: yaml }) });
}

describe("loading", () => {
  it("takes a well-formed template and fills in what it leaves out", () => {
    expect(loadOne(GOOD).get("snow_day")).toMatchObject({
      notificationType: "snow_day",
      expirable: false,
      pushTtl: "priority",
      urls: ["/news"],
      actions: [],
      deadline: undefined,
    });
  });

  it.each([
    ["an unknown field", GOOD.replace("priority:", "prority:"), "prority"],
    ["an unknown priority", GOOD.replace("high", "urgent"), "priority:"],
    ["an unknown channel", GOOD.replace("push]", "fax]"), "channels.1:"],
    ["a public field nobody sends", GOOD.replace("[place]\nurl", "[plaice]\nurl"), "plaice"],
    ["a required field without a schema", GOOD.replace("[place]\n  p", "[date]\n  p"), "date"],
    ["a date that is any text", GOOD.replace(", format: date-time", ""), "start_date:"],
    ["a link with a private field", GOOD.replace("/news", '"/n/{start_date}"'), "url.0:"],
    [
      "a link that may lack a part",
      GOOD.replace("/news", '"/n/{place}"').replace("[place]\n  p", "[]\n  p"),
      "url",
    ],
    ["a link to elsewhere", GOOD.replace("/news", "//evil.example"), "url"],
    ["an expiry without deadline", `${GOOD}expirable: true\n`, "expirable: needs a deadline"],
    ["a deadline of no field", `${GOOD}deadline: { field: due }\n`, "deadline.field: due"],
    ["a deadline that is no date", `${GOOD}deadline: { field: place }\n`, "deadline.field: place"],
    ["a variant never absent", `${GOOD}variants: [place]\n`, "variants.0: place is required"],
    ["a plural of nothing", `${GOOD}plural: pupils\n`, "plural: pupils is not in data"],
    ["a word of JSON Schema misspelt", GOOD.replace("maxLength", "maxLenght"), "maxLenght"],
    ["a key written twice", `${GOOD}priority: low\n`, "unique"],
    ["broken YAML", `${GOOD}channels: [`, "at line"],
    ["nothing", "", "(file):"],
  ])("refuses %s, naming the file and the place", (_what, yaml, place) => {
    expect(() => loadOne(yaml)).toThrow(place);
    expect(() => loadOne(yaml)).toThrow("general/snow_day.yaml");
  });

  it("refuses a template whose file or folder is called otherwise", () => {
    expect(() => loadOne(GOOD, "general/snow.yaml")).toThrow("id is snow_day");
    expect(() => loadOne(GOOD, "iep/snow_day.yaml")).toThrow("family is general");
    expect(() => loadOne(GOOD, "weather/snow_day.yaml")).toThrow("unknown family");
  });

  it("adds an installation's own templates, and lets them replace a shipped one", () => {
    const own = GOOD.replace("snow_day", "announcement").replace("high", "low");
    const extraDir = folderWith({
      "general/snow_day.yaml": GOOD,
      "general/announcement.yaml": own,
    });
    const registry = loadTemplates({ dir: TEMPLATES_DIR, extraDir });
    expect(registry.list()).toHaveLength(templates.list().length + 1);
    expect(registry.get("snow_day")?.priority).toBe("high");
    expect(registry.get("announcement")?.priority).toBe("low");
  });
});

describe("checking data", () => {
  const reminder = template("iep_meeting_reminder");
  it("takes the data of the documented requests", () => {
    expect(templates.checkData(reminder, MEETING)).toEqual([]);
    expect(templates.checkData(template("iep_deadline_warning"), WARNING)).toEqual([]);
  });

  it.each(["2025-09-15T14:00:00Z", "2025-09-15T14:00:00+02:00", "2025-09-15T14:00:00.123456"])(
    "takes %s for a date-time",
    (meeting_date) => {
      expect(templates.checkData(reminder, { ...MEETING, meeting_date })).toEqual([]);
    },
  );

  it.each(["tomorrow", "2025-09-15", "2025-02-30T14:00:00Z", "2025-09-15T25:00:00Z", ""])(
    "does not take %j",
    (meeting_date) => {
      expect(templates.checkData(reminder, { ...MEETING, meeting_date })).toEqual([
        { path: "data.meeting_date", message: "must be a date-time such as 2026-09-15T14:00:00Z" },
      ]);
    },
  );

  it("names everything that is missing or wrong, without repeating values", () => {
    const issues = templates.checkData(reminder, {
      student_name: "",
      attendees: ["Teacher", 7],
      location: "secret ".repeat(100),
    });
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "data.attendees.1",
      "data.location",
      "data.meeting_date",
      "data.student_name",
      "data.student_name",
    ]);
    expect(issues).toContainEqual({ path: "data.meeting_date", message: "is required" });
    expect(JSON.stringify(issues)).not.toContain("secret");
  });

  it("finds ids beside the data, as requests may carry them", () => {
    const matching = template("student_matching_confirmation_required");
    const beside = { batch_id: "batch-456", class_id: "class-1" };
    expect(templates.checkData(matching, { unmatched_count: 3 }, beside)).toEqual([]);
    expect(templates.checkData(matching, { unmatched_count: 3 })).toEqual([
      { path: "data.batch_id", message: "is required" },
      { path: "data.class_id", message: "is required" },
    ]);
  });

  it("takes nothing else that a request says for what its data lacks", () => {
    const registry = loadOne(GOOD.replaceAll("place", "locale"));
    const snowDay = registry.get("snow_day") ?? expect.fail();
    const request = { template_id: "snow_day", locale: "sv", data: {}, batch_id: "batch-456" };
    expect(registry.checkData(snowDay, request.data, request)).toEqual([
      { path: "data.locale", message: "is required" },
    ]);
  });

  it("forgives an event what it lacks, but not what is of the wrong kind", () => {
    const matching = template("student_matching_confirmation_required");
    const check = (data: Record<string, unknown>) =>
      templates.checkData(matching, data, {}, "lenient");
    expect(check({})).toEqual([]);
    expect(check({ batch_id: null, batch_name: null, unmatched_count: null })).toEqual([]);
    expect(check({ batch_id: "", class_id: " ", deadline_timestamp: "" })).toEqual([]);
    expect(check({ batch_id: null, unmatched_count: "three", deadline_timestamp: "soon" })).toEqual(
      [
        { path: "data.unmatched_count", message: "must be integer" },
        {
          path: "data.deadline_timestamp",
          message: "must be a date-time such as 2026-09-15T14:00:00Z",
        },
      ],
    );
    expect(check({ location: "secret" })).toEqual([]);
  });

  it("takes null for a mistake where a caller can be answered", () => {
    const paths = templates
      .checkData(reminder, { ...MEETING, location: null })
      .map(({ path }) => path);
    expect(paths).toEqual(["data.location"]);
  });

  it("does not let an announcement lead to a script or to another site by accident", () => {
    const announcement = template("announcement");
    const check = (url: string) =>
      templates.checkData(announcement, { title: "t", body: "b", url }).map(({ path }) => path);
    expect(check("/news/1?x=2")).toEqual([]);
    expect(check("https://school.example/n")).toEqual([]);
    for (const url of ["javascript:alert(1)", "//evil.example", "/\\evil.example", "news"]) {
      expect(check(url)).toEqual(["data.url"]);
    }
  });
});

describe("what replaces what on a lock screen", () => {
  it("is a newer warning about the same plan", () => {
    const warning = template("iep_deadline_warning");
    expect(collapseKey(warning, { iep_id: "a" })).toBe("iep_deadline_warning:a");
    expect(collapseKey(warning, {})).toBeNull();
    expect(collapseKey(template("announcement"), { iep_id: "a" })).toBeNull();
  });
});
