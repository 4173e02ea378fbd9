/** Describes a zod schema as JSON Schema, for the documents that tell others what is taken and sent. */
import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

interface SchemaOptions {
  /** `input`: as others may send it; `output`: as it is after parsing. */
  readonly io: "input" | "output";
  /** OpenAPI 3.1 speaks 2020-12, AsyncAPI draft 7. */
  readonly target?: "draft-2020-12" | "draft-7";
}

/** @returns the schema without its `$schema`; what JSON Schema cannot say may be anything. */
export function jsonSchemaOf(schema: z.ZodType, options: SchemaOptions): Json {
  const { $schema: _dialect, ...document } = z.toJSONSchema(schema, {
    ...options,
    unrepresentable: "any",
    override({ jsonSchema }) {
      // The format says the same as zod's pattern, which fills half a page with leap years.
      if (jsonSchema.format === "date-time" || jsonSchema.format === "date") {
        delete jsonSchema.pattern;
      }
      // What every integer in JavaScript keeps to says nothing about this one.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return document;
}
