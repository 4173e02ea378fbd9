/** Kinds of value an environment variable can hold, each with the message of a wrong one. */
import { z } from "zod";
import { splitAddresses } from "./redis-place.ts";

export const text = z.string().trim().min(1);
export const list = text.transform((value) =>
  value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

/** Messages continue the name of the variable: `PORT: must be ...`. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,12}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
    .meta({ allowed: `${min}..${max}` });
}

/** A comma list of whole numbers, each larger than the one before. */
export function rising(min: number, max: number) {
  const message = `must be whole numbers from ${min} to ${max}, each larger than the one before, with commas between them`;
  return list
    .transform((values) => values.map((value) => (/^\d{1,12}$/.test(value) ? Number(value) : -1)))
    .refine(
      (numbers) =>
        numbers.length > 0 &&
        numbers.every((number, at) => {
          return number >= min && number <= max && number > (numbers[at - 1] ?? -1);
        }),
      message,
    );
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z
    .enum(values, { error: `must be one of ${values.join(", ")}` })
    .meta({ allowed: values.join(", ") });
}

export function address(protocol: RegExp, example: string) {
  return z.url({ protocol, error: `must be an address such as ${example}` });
}

const FIRST_DATABASE = /^\/?0?$/;

/** One or several of a kind, with commas between them, which name a cluster; kept as they stand. */
export function addresses(protocol: RegExp, example: string) {
  const message = `must be an address such as ${example}, or several with commas between them`;
  const one = address(protocol, example);
  // A comma without an address behind it would be taken for part of a name.
  const isOne = (url: string): boolean =>
    one.safeParse(url).success && !new URL(url).hostname.includes(",");
  return text
    .refine((value) => splitAddresses(value).every(isOne), {
      message,
      abort: true,
    })
    .refine((value) => {
      const each = splitAddresses(value);
      return each.length === 1 || each.every((url) => FIRST_DATABASE.test(new URL(url).pathname));
    }, "must name no database but 0: a cluster has no other");
}

/** `true` or `false`; what is not said is `false`. */
export function flag() {
  return oneOf(["true", "false"])
    .transform((value) => value === "true")
    .prefault("false");
}

/** Kafka's own rule for the name of a topic. */
export const topic = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9._-]{1,200}$/, "must be the name of a topic: letters, digits and . _ -");
