/** The value of a record as the JSON object that all our topics carry. */
import { isUtf8 } from "node:buffer";
import { MAX_NESTING, readJsonText } from "../json-text.ts";

/**
 * Above any real event. What a record holds ends in a frame, and a browser's socket that has this
 * much to write counts as slow.
 */
const MAX_VALUE_BYTES = 256 * 1_024;

export type RecordReading =
  | { readonly kind: "object"; readonly object: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "fault";
      readonly reason: "invalid_json" | "invalid_event";
      readonly detail: string;
    };

function fault(reason: "invalid_json" | "invalid_event", detail: string): RecordReading {
  return { kind: "fault", reason, detail };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A machine's word; anything else may be a sentence out of somebody's text. */
const FIELD_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,59}$/;

/** Where it is, by the outermost field alone: further in, names may be what people wrote. */
function forbiddenName(path: string): string {
  const [first = "", ...inner] = path.split(".");
  const field = FIELD_PATTERN.test(first) ? first : "a field";
  const place = inner.length === 0 ? "The value" : `${field}:`;
  return `${place} holds the name __proto__, which is not allowed.`;
}

/** Never throws; the detail holds nothing of the value. */
export function readRecordObject(value: Buffer): RecordReading {
  if (value.length > MAX_VALUE_BYTES) {
    return fault("invalid_event", `The value is longer than ${MAX_VALUE_BYTES} bytes.`);
  }
  if (!isUtf8(value)) return fault("invalid_json", "The value is not UTF-8.");
  const reading = readJsonText(value.toString("utf8"));
  switch (reading.kind) {
    case "not_json":
      return fault("invalid_json", "The value is not valid JSON.");
    case "too_deep":
      return fault("invalid_event", `The value is nested deeper than ${MAX_NESTING} levels.`);
    case "forbidden_name":
      return fault("invalid_event", forbiddenName(reading.path));
    case "value":
      return isObject(reading.value)
        ? { kind: "object", object: reading.value }
        : fault("invalid_event", "The value is not a JSON object.");
  }
}
