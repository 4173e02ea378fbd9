/** Describes a zod schema as JSON Schema, for the documents that tell others what is taken and sent. */
import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

interface SchemaOptions {
  /** `input`: as others may send it; `output`: as it is after parsing. */
  readonly io: "input" | "output";
  /** OpenAPI 3.1 speaks 2020-12, AsyncAPI draft 7. */
  readonly target?: "draft-2020-12" | "draft-7";
}

const DATE_TIME_WITH_OR_WITHOUT_OFFSET = String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$`;

/** @returns the schema without its `$schema`; what JSON Schema cannot say may be anything. */
export function jsonSchemaOf(schema: z.ZodType, options: SchemaOptions): Json {
  const { $schema: _dialect, ...document } = z.toJSONSchema(schema, {
    ...options,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      // The format says the same as zod's pattern, which fills half a page with leap years.
      if (jsonSchema.format === "date-time" || jsonSchema.format === "date") {
        delete jsonSchema.pattern;
      }
      // The format asks for an offset, which these need not have.
      if (zodSchema instanceof z.core.$ZodISODateTime && jsonSchema.format === undefined) {
        jsonSchema.pattern = DATE_TIME_WITH_OR_WITHOUT_OFFSET;
      }
      // What every integer in JavaScript keeps to says nothing about this one.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return document;
}
