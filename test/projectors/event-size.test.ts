/** However much a service writes into an event, what is made of it can be taken in. */
import { describe, expect, it } from "vitest";
import { readRecordObject } from "../../src/platform/kafka/record-json.ts";
import { envelope, eventOf, projected } from "./records.ts";
import { SAMPLES, sampleOf } from "./samples.ts";

async function published(value: unknown) {
  const event = eventOf(await projected(value));
  const { kind } = readRecordObject(Buffer.from(JSON.stringify(event)));
  return { isTaken: kind === "object", payload: event.data.payload };
}

function list(payload: Readonly<Record<string, unknown>>, name: string): unknown[] {
  const value = payload[name];
  if (!Array.isArray(value)) throw new Error(`${name} is no list`);
  return value;
}

/** As many as a domain event may be long for. */
const LIST_BYTES = 250_000;

function asManyAsFit<T>(item: T): T[] {
  const count = Math.floor(LIST_BYTES / (Buffer.byteLength(JSON.stringify(item)) + 1));
  return Array.from({ length: Math.min(count, 2_000) }, () => item);
}

describe("a list in an event", () => {
  const errors = sampleOf("batch_validation_errors");

  it("is shown as far as it fits, and counted in full", async () => {
    // As bare sentences they just fit; as entries, which they become, they would not.
    const all = Array.from({ length: 900 }, (_, at) => `${at} `.padEnd(280, "x"));
    const { isTaken, payload } = await published(envelope(errors, { validation_errors: all }));
    expect(isTaken).toBe(true);
    expect(payload).toMatchObject({
      error_count: 900,
      message: "900 validation errors require attention",
    });
    const shown = list(payload, "validation_errors");
    expect(shown.length).toBeGreaterThan(400);
    expect(shown).toEqual(all.slice(0, shown.length).map((message) => ({ message })));
  });

  // In JSON these take one byte, three, four for two units, and six.
  it.each(
    ["x", "\u20ac", "\u{1f514}", "\u0001"].flatMap(
      (text) =>
        [
          [text, 1],
          [text, 900],
        ] as const,
    ),
  )("fits whatever it is written in: %j, %i times", async (text, times) => {
    const all = asManyAsFit(text.repeat(times));
    const { isTaken, payload } = await published(envelope(errors, { validation_errors: all }));
    expect(isTaken).toBe(true);
    expect(list(payload, "validation_errors").length).toBeGreaterThan(20);
    expect(payload["error_count"]).toBe(all.length);
  });

  it("of matches is bounded too", async () => {
    const id = "\u20ac".repeat(128);
    const all = asManyAsFit({ essay_id: id, suggested_student_id: id, confidence_score: 1 / 3 });
    const { isTaken, payload } = await published(
      envelope(sampleOf("student_matches_suggested"), { suggested_matches: all }),
    );
    expect(isTaken).toBe(true);
    expect(payload["match_count"]).toBe(all.length);
    const shown = list(payload, "suggested_matches");
    expect(shown.length).toBeLessThan(all.length);
    expect(shown).toEqual(all.slice(0, shown.length));
  });
});

/** Six bytes a unit in JSON, the most that there is. */
const ID = "\u0001".repeat(128);
const TEXT = "\u0001".repeat(5_000);
const TEXTS = ["batch_name", "class_name", "filename", "error_message"];

function longest(name: string, value: unknown): unknown {
  if (TEXTS.includes(name)) return TEXT;
  if (name.endsWith("_id")) return ID;
  if (!Array.isArray(value)) return value;
  return Array.from({ length: 3 }, () => ({ essay_id: ID, message: TEXT, error_message: TEXT }));
}

describe("an event with every text at its longest", () => {
  it.each(SAMPLES.map((sample): [string, typeof sample] => [sample.notification, sample]))(
    "is taken: %s",
    async (_notification, sample) => {
      const data = { class_id: "c", student_id: "s", batch_name: "b", ...sample.data };
      const stretched = Object.fromEntries(
        Object.entries(data).map(([name, value]) => [name, longest(name, value)]),
      );
      const { isTaken } = await published(envelope(sample, stretched, { event_id: ID }));
      expect(isTaken).toBe(true);
    },
  );
});
