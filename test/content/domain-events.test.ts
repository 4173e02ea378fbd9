/** What the projectors make of services' events fits the templates it is made for. */
import { describe, expect, it } from "vitest";
import { DOMAIN_EVENTS } from "../../src/projectors/event-table.ts";
import { DOMAIN_DATA } from "./domain-data.ts";
import { NOW, renderer, subject, template, templates } from "./fixtures.ts";

const everyEvent = DOMAIN_EVENTS.map((event) => [event.type, event] as const);
const LONG_TEXT = "界".repeat(10_001);
const LONG_ID = "é".repeat(128);
const MANY = 1_001;

type Event = (typeof DOMAIN_EVENTS)[number];

/** What a page gets to see of an event that says `data`. */
function payloadOf(event: Event, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const read = event.read(data);
  if (!read.ok) throw new Error(`${event.type}: ${read.issues}`);
  const occurredAt = new Date(NOW).toISOString();
  return read.facts.payload({ occurredAt, exposeStorageIds: true });
}

const usual: Readonly<Record<string, unknown>> = {
  ...DOMAIN_DATA,
  user_id: "teacher-001",
  class_name: "English 9A",
};
const largest: Readonly<Record<string, unknown>> = {
  ...usual,
  batch_id: LONG_ID,
  batch_name: LONG_TEXT,
  class_name: LONG_TEXT,
  filename: LONG_TEXT,
  error_message: LONG_TEXT,
  validation_errors: Array.from({ length: MANY }, () => ({ code: LONG_TEXT, message: LONG_TEXT })),
  suggested_matches: Array.from({ length: MANY }, () => ({
    essay_id: LONG_ID,
    suggested_student_id: null,
    confidence_score: -1,
  })),
};

describe("a projected event", () => {
  it("exists for every template of the services' events, and for a new class", () => {
    const own = templates.list().filter(({ family }) => family === "domain");
    const expected = [...own.map(({ id }) => id), "class_created"].sort();
    expect(DOMAIN_EVENTS.map(({ notification }) => notification).sort()).toEqual(expected);
  });

  it.each(everyEvent)("of %s is as urgent as its template says", (_type, event) => {
    const { category, priority, actionRequired } = template(event.notification);
    expect(event).toMatchObject({ category, priority, actionRequired });
  });

  it.each(everyEvent)("of %s holds what its template needs and knows", (_type, event) => {
    const found = template(event.notification);
    const payload = payloadOf(event, usual);
    expect(templates.checkData(found, payload)).toEqual([]);
    const about = subject(payload);
    const nothing = renderer.inApp(template("notice"), subject({}));
    expect(renderer.inApp(found, about).title).not.toBe(nothing.title);
    expect(renderer.inApp(found, about).body).not.toBe(nothing.body);
    expect(renderer.lockScreen(found, about).body).not.toBe(nothing.body);
  });

  it.each(everyEvent)("of %s fits its template however much a service sends", (_type, event) => {
    const found = template(event.notification);
    expect(templates.checkData(found, payloadOf(event, largest))).toEqual([]);
  });

  it.each(everyEvent)("of %s fits its template when it says the least", (_type, event) => {
    const found = template(event.notification);
    const isOptional = (name: string): boolean => {
      const { [name]: _left, ...rest } = usual;
      return event.read(rest).ok;
    };
    const least = Object.fromEntries(
      Object.entries(usual).map(([name, value]) => [name, isOptional(name) ? null : value]),
    );
    const payload = payloadOf(event, least);
    expect(templates.checkData(found, payload, {}, "lenient")).toEqual([]);
    const { title, body } = renderer.inApp(found, subject(payload));
    expect(`${title} ${body}`).not.toMatch(/null|undefined|\{/);
  });
});
