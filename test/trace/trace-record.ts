/** One line of a trace: a record as a service put it on a topic. */
import { readFile } from "node:fs/promises";
import { z } from "zod";

export type JsonObject = Readonly<Record<string, unknown>>;

export interface TraceRecord {
  /** Without the prefix that an installation may put in front. */
  readonly topic: string;
  readonly key: string | null;
  /** What is sent as JSON; text is sent as it is, so that it may be broken; null is a tombstone. */
  readonly value: JsonObject | string | null;
}

const lineSchema = z.object({
  topic: z.string().min(1),
  key: z.string().nullable(),
  value: z.union([z.record(z.string(), z.unknown()), z.string(), z.null()]),
});

/** @throws Error with file and line of what is no record. */
export async function readTrace(files: readonly string[]): Promise<TraceRecord[]> {
  const records: TraceRecord[] = [];
  for (const file of files) {
    const lines = (await readFile(file, "utf8")).split("\n");
    lines.forEach((line, at) => {
      if (line.trim() === "") return;
      try {
        records.push(lineSchema.parse(JSON.parse(line)));
      } catch (error) {
        throw new Error(`${file}:${at + 1} is not a record`, { cause: error });
      }
    });
  }
  return records;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a field, undefined where it is absent or something else. */
export function textOf(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" ? value : undefined;
}

/** `data` of an envelope; of an event without one, the event itself. */
export function dataOf(value: JsonObject): JsonObject {
  return isObject(value["data"]) ? value["data"] : value;
}
