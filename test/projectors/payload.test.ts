/** Whatever a service writes into an event, a page gets the declared fields and nothing else. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { envelope, eventOf, projected } from "./records.ts";
import { SAMPLES } from "./samples.ts";

/** Of every payload, and of the entries in its lists. */
const DECLARED: Readonly<Record<string, readonly string[]>> = {
  validation_errors: [
    "file_upload_id",
    "essay_id",
    "filename",
    "field",
    "code",
    "error_code",
    "message",
    "error_message",
  ],
  suggested_matches: ["essay_id", "suggested_student_id", "confidence_score"],
};
const SENSITIVE = "leaked-1f2e";

const anyName = fc.oneof(
  fc.string().filter((name) => !Object.values(DECLARED).flat().includes(name)),
  fc.constantFrom(
    "user_id",
    "raw_text",
    "text_storage_id",
    "student_name",
    "email",
    "toString",
    "constructor",
    "message_id",
    "errors_internal",
  ),
);
const anything = fc.oneof(
  fc.constant(SENSITIVE),
  fc.constant([SENSITIVE]),
  fc.constant({ [SENSITIVE]: SENSITIVE }),
  fc.jsonValue(),
);
/** Without the one name that makes a record unreadable wherever it stands. */
const extra = fc
  .dictionary(anyName, anything, { maxKeys: 8 })
  .filter((fields) => !JSON.stringify(fields).includes("__proto__"));

function fieldsOf(payload: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(payload).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [name];
    const inner = value.flatMap((item: object) => Object.keys(item).map((key) => `${name}.${key}`));
    return [name, ...inner];
  });
}

function declaredFor(sample: (typeof SAMPLES)[number]): Set<string> {
  const names = [...Object.keys(sample.payload), "batch_name"];
  return new Set(
    names.flatMap((name) => [name, ...(DECLARED[name] ?? []).map((key) => `${name}.${key}`)]),
  );
}

it("holds for every kind of event", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SAMPLES), extra, extra, async (sample, more, within) => {
      const known = new Set(["batch_name", ...Object.keys(sample.data)]);
      const added = Object.fromEntries(
        Object.entries(more).filter(([name]) => !known.has(name) && !isSubject(name)),
      );
      const lists = Object.fromEntries(
        Object.entries(sample.data).flatMap(([name, value]) =>
          Array.isArray(value)
            ? [[name, value.map((item: object) => ({ ...within, ...item }))]]
            : [],
        ),
      );
      const event = eventOf(await projected(envelope(sample, { ...added, ...lists })));
      const declared = declaredFor(sample);
      expect(fieldsOf(event.data.payload).filter((field) => !declared.has(field))).toEqual([]);
      expect(JSON.stringify(event)).not.toContain(SENSITIVE);
    }),
    { numRuns: 500 },
  );
});

/** Fields that mean the same in every event, and are checked in every one. */
function isSubject(name: string): boolean {
  return ["user_id", "batch_id", "class_id", "student_id", "timestamp"].includes(name);
}
