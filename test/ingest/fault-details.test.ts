/** What logs and dead letters say of a bad record: enough to mend its producer, and none of its text. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { detailOf, faultsOf } from "../../src/ingest/incoming-event.ts";
import { readTeacherEvent } from "../../src/ingest/teacher-event.ts";
import { readRecordObject } from "../../src/platform/kafka/record-json.ts";
import { Problem } from "../../src/platform/problems.ts";
import { batchCompleted, recordOf, templates } from "./intake-scene.ts";

const DIARY = "Dear diary, today at school";

describe("a name that is not allowed", () => {
  const name = (...around: string[]): string =>
    around.reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, `{"__proto__":1}`);

  it.each([
    ["at the top", name(), "The value holds"],
    ["in a field", name("data"), "data: holds"],
    ["in a sentence in a field", name("data", DIARY), "data: holds"],
    ["in a whole text in a field", name("data", DIARY.repeat(500)), "data: holds"],
    ["in a sentence", name(DIARY), "a field: holds"],
    ["in a long word", name("a".repeat(61)), "a field: holds"],
    ["in what would clear a screen", name("\u001b[2J"), "a field: holds"],
  ])("is told of by the outermost field alone: %s", (_where, text, place) => {
    expect(readRecordObject(Buffer.from(text))).toEqual({
      kind: "fault",
      reason: "invalid_event",
      detail: `${place} the name __proto__, which is not allowed.`,
    });
  });
});

describe("many faults", () => {
  const numbers = z.object({ list: z.array(z.number()) });
  const wrong = (count: number): z.ZodError => {
    const { error } = numbers.safeParse({ list: Array.from({ length: count }, () => "x") });
    if (error === undefined) throw new Error("it is right");
    return error;
  };

  it.each([
    [1, ""],
    [10, ""],
    [11, "; and 1 more"],
    [1_000, "; and 990 more"],
  ])("of %i the first ten are told%s", (count, more) => {
    const told = faultsOf(wrong(count), "data").split("; ").slice(0, 10);
    expect(told).toHaveLength(Math.min(count, 10));
    expect(told.at(-1)).toMatch(/^data\.list\.\d: Invalid input/);
    expect(faultsOf(wrong(count), "data")).toBe(`${told.join("; ")}${more}`);
  });

  it("of a refusal are bounded as well", () => {
    const errors = Array.from({ length: 25 }, (_, at) => ({ path: `data.${at}`, message: "no" }));
    const detail = detailOf(new Problem("invalid_template_data", "It does not fit.", { errors }));
    expect(detail).toMatch(/^It does not fit: data\.0: no; .*data\.9: no; and 15 more$/);
  });
});

describe("a place that somebody made up", () => {
  it.each([
    [DIARY.repeat(9), /^.{57}\.\.\.$/],
    ["a\u001b[31m\r\nb\u2028\u202ec", /^a\?\[31m\?\?b\?\?c$/],
    ["\u{1f514}".repeat(40), /^(?:\u{1f514})+\.\.\.$/u],
  ])("is one short line: %j", (path, place) => {
    const detail = detailOf(
      new Problem("invalid_template_data", "No.", { errors: [{ path, message: "is wrong" }] }),
    );
    const told = detail.slice("No: ".length, -": is wrong".length);
    expect(told).toMatch(place);
    expect(told.length).toBeLessThanOrEqual(60);
    expect(told.isWellFormed()).toBe(true);
  });
});

it("names the field of an event as before", () => {
  const value = batchCompleted({ priority: "urgent-ish" });
  const rules = { templates, eventTypes: [], allowUnknownTypes: false, exposeStorageIds: false };
  const reading = readTeacherEvent(value, recordOf(value, { timestamp: 0 }), rules);
  expect(reading).toHaveProperty("detail", expect.stringMatching(/^priority: /));
});
