/** An object out of JSON whose fields are somebody else's to check, or nobody's. */
import { z } from "zod";

function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Handed on as it is. `z.record` and `z.looseObject` copy it key by key, which took a fifth of what
 * reading an event does; JSON holds neither keys nor prototypes that a copy would have to leave out.
 */
export const jsonObjectSchema = z
  .custom<Record<string, unknown>>(isJsonObject, "must be an object")
  .meta({ type: "object" });
