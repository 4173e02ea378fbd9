/** Reads a form, as providers post what became of a message; every field is kept, as a signature covers all. */
import { z } from "zod";
import { Problem } from "../platform/problems.ts";
import {
  createBytesReader,
  DEFAULT_BODY_LIMIT_BYTES,
  hasMediaType,
  type ReadBody,
} from "./body-bytes.ts";

export const FORM_TYPE = "application/x-www-form-urlencoded";

/** What a provider sends has some twenty. */
const MAX_FIELDS = 200;

/** A field that is there several times has all its values, in their order. */
export const formSchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
export type Form = Readonly<z.infer<typeof formSchema>>;

/** @throws Problem `unsupported_media_type`, `body_too_large` or `invalid_request`. */
export function createFormReader(limitBytes = DEFAULT_BODY_LIMIT_BYTES): ReadBody {
  const readBytes = createBytesReader(limitBytes);
  return async (req, res): Promise<Form> => {
    if (!hasMediaType(req, FORM_TYPE)) {
      throw new Problem("unsupported_media_type", `Send the body as ${FORM_TYPE} in UTF-8.`);
    }
    const fields = [...new URLSearchParams((await readBytes(req, res)).toString("utf8"))];
    if (fields.length > MAX_FIELDS) {
      throw new Problem("invalid_request", `The form may hold ${MAX_FIELDS} fields.`);
    }
    const values = Map.groupBy(fields, ([name]) => name);
    return Object.fromEntries(
      [...values].map(([name, all]) => {
        const [first = "", ...others] = all.map(([, value]) => value);
        return [name, others.length === 0 ? first : [first, ...others]];
      }),
    );
  };
}
