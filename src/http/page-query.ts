/** The parameters with which an answer is read page by page. */
import { z } from "zod";

const MAX_CURSOR_LENGTH = 128;

/** @param limits most entries in one answer, and how many where nothing is said */
export function pageQuery(limits: { readonly max: number; readonly preset: number }) {
  const { max, preset } = limits;
  return {
    cursor: z
      .string()
      .max(MAX_CURSOR_LENGTH)
      .optional()
      .describe("`next` of the answer before, with the same other parameters"),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(max)
      .default(preset)
      .describe(`most entries in one answer; default: ${preset}`),
  };
}
