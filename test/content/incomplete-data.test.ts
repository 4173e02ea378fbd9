/** Events come as they are: whatever they lack, nobody reads half a sentence or a word of ours. */
import { describe, expect, it } from "vitest";
import { smsSize } from "../../src/content/sms-segments.ts";
import type { Subject } from "../../src/content/subject.ts";
import type { Template } from "../../src/content/template.ts";
import { LOCALES, type Locale } from "../../src/contract/vocabulary.ts";
import { dataFor, DEADLINE, renderer, subject, template, templates } from "./fixtures.ts";

const ORIGIN = "https://notify.riverside-school.example";
const LINK = `${ORIGIN}/batches/batch-456`;
const MAX_SEGMENTS = 2;
const OUR_WORDS = /undefined|\bnull\b|NaN|Invalid|[{}]|\[object/;
/** Two spaces, a stop after a space, nothing after a colon or between brackets, quotes, isolates. */
const GAP = / {2}|\s[.。,،;]|[:：]\s*$|\(\s*\)|（\s*）|“”|«\s*»|\u2068\s*\u2069|^\s|\s$|^[.,:：،]/;

const everyTemplate = templates.list().map((each) => [each.id, each] as const);
const everyPlace = everyTemplate.flatMap(([id, each]) =>
  LOCALES.map((locale) => [id, locale, each] as const),
);

function without(data: Readonly<Record<string, unknown>>, name: string, instead?: unknown) {
  const { [name]: _left, ...rest } = data;
  return instead === undefined ? rest : { ...rest, [name]: instead };
}

function allOf(each: Template, value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.keys(each.dataSchema.properties).map((name) => [name, value]));
}

/** What an event may come down to, by what a reader of a failing test wants to know. */
function incomplete(each: Template): [string, Record<string, unknown>][] {
  const full = dataFor(each);
  return [
    ["nothing", {}],
    ["all null", allOf(each, null)],
    ["all blank", allOf(each, " ")],
    ["all of another kind", allOf(each, { odd: [null] })],
    ...each.dataSchema.required.flatMap((name): [string, Record<string, unknown>][] => [
      [`no ${name}`, without(full, name)],
      [`${name} null`, without(full, name, null)],
      [`${name} blank`, without(full, name, "")],
    ]),
  ];
}

function textsOf(each: Template, about: Subject): Record<string, string> {
  const inApp = renderer.inApp(each, about);
  const lockScreen = renderer.lockScreen(each, about);
  return {
    title: inApp.title,
    body: inApp.body,
    public_title: lockScreen.title,
    public_body: lockScreen.body,
    ...Object.fromEntries(lockScreen.actions.map(({ action, title }) => [action, title])),
  };
}

function nothingKnown(locale: Locale) {
  return renderer.inApp(template("notice"), subject({}, { locale }));
}

describe.each(everyPlace)("%s in %s", (id, locale, each) => {
  it("leaves no gap, whatever the event lacks", () => {
    for (const [what, data] of incomplete(each)) {
      for (const deadline of [DEADLINE, null]) {
        const about = subject(data, { locale, deadline });
        for (const [name, text] of Object.entries(textsOf(each, about))) {
          expect(text, `${name}: ${what}`).not.toBe("");
          expect(text, `${name}: ${what}`).not.toMatch(OUR_WORDS);
          expect(text, `${name}: ${what}`).not.toMatch(GAP);
        }
      }
    }
  });

  it("sends an SMS that is whole, whatever the event lacks", () => {
    for (const [what, data] of incomplete(each)) {
      for (const deadline of [DEADLINE, null]) {
        const text = renderer.sms(each, subject(data, { locale, deadline }), LINK);
        const linkAt = text.indexOf(ORIGIN);
        expect([LINK, ORIGIN], what).toContain(text.slice(linkAt));
        expect(smsSize(text).segments, what).toBeLessThanOrEqual(MAX_SEGMENTS);
        const words = text.slice(0, linkAt);
        expect(words, what).toMatch(/\p{L}{2}/u);
        expect(words, what).not.toMatch(OUR_WORDS);
        expect(words.trimEnd(), what).not.toMatch(/ {2}|\s[.。,،;]|\(\s*\)|“”/);
      }
    }
  });

  it("says all it has to say without anything optional", () => {
    const { required } = each.dataSchema;
    const needed = Object.entries(dataFor(each)).map(([name, value]) =>
      required.includes(name) ? [name, value] : [name, null],
    );
    const about = subject(Object.fromEntries(needed), { locale });
    const { title, body } = nothingKnown(locale);
    const texts = textsOf(each, about);
    if (id === "notice") expect(texts).toMatchObject({ title, body });
    else expect(Object.values(texts).filter((text) => text === title || text === body)).toEqual([]);
  });
});

describe("a link", () => {
  it.each(everyTemplate)("of %s leads somewhere whatever the event lacks", (_id, each) => {
    for (const [what, data] of incomplete(each)) {
      expect(renderer.link(each, subject(data)), what).toMatch(/^\/[!-z|~]*$/);
      for (const { url } of renderer.lockScreen(each, subject(data)).actions) {
        expect(url, what).toMatch(/^\/[!-z|~]+$/);
        expect(url, what).not.toMatch(/undefined|null|object|\/\//);
      }
    }
  });
});

describe("null", () => {
  it("is as good as absent for the sentences that do without", () => {
    const failed = template("batch_processing_failed");
    const data = { batch_id: "b-1", batch_name: null, failed_phase: null };
    const { body } = renderer.inApp(failed, subject(data));
    expect(body).toBe("b-1 did not get through. Have a look at what happened.");
    const roster = template("class_roster_updated");
    const changes = { class_id: "c-1", class_name: null, added_count: 2, removed_count: 0 };
    expect(renderer.lockScreen(roster, subject(changes)).body).toBe(
      "In one of your classes, 2 joined and 0 left.",
    );
  });
});
