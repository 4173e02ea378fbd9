/** What came of one run, as it is written to a file and read back. */
import { appendFile, readFile } from "node:fs/promises";
import { z } from "zod";
import { readJsonText } from "../../../../src/platform/json-text.ts";
import { WrongUseError } from "../../../support/measuring-command.ts";
import { PROMISES } from "../evidence.ts";
import { FAULT_NAMES } from "../faults/faults.ts";

const faultName = z.enum(FAULT_NAMES as [string, ...string[]]); // zod wants a tuple of names

export const resultSchema = z.object({
  seed: z.number(),
  /** How long the product waited for things: `short` or `own`. */
  times: z.enum(["short", "own"]),
  /** What Redis was: one server or a cluster. */
  store: z.enum(["single", "cluster"]),
  faults: z.array(faultName),
  asked: z.number(),
  promises: z.array(
    z.object({
      promise: z.enum(PROMISES),
      checked: z.number(),
      violations: z.array(z.string()),
      excluded: z.number(),
    }),
  ),
  /** What went wrong besides: a process that ended badly, a request refused, nothing moving any more. */
  troubles: z.array(z.string()),
  recoveries: z.array(
    z.object({
      fault: faultName,
      firstMs: z.number().optional(),
      caughtUpMs: z.number(),
    }),
  ),
  durationMs: z.number(),
});
export type RunResult = z.infer<typeof resultSchema>;

export function isSound({ promises, troubles }: RunResult): boolean {
  return troubles.length === 0 && promises.every(({ violations }) => violations.length === 0);
}

/**
 * Before the first run, so that none is lost for want of a place.
 * @throws WrongUseError if nothing can be added to it
 */
export async function openResults(file: string): Promise<void> {
  await orWrongUse(appendFile(file, ""));
}

/** One line for each run, so that a batch that is broken off keeps what it had. */
export async function addResult(file: string, result: RunResult): Promise<void> {
  await appendFile(file, `${JSON.stringify(result)}\n`);
}

/** @throws WrongUseError if it cannot be read, naming the first line that holds no result */
export async function readResults(file: string): Promise<RunResult[]> {
  const text = await orWrongUse(readFile(file, "utf8"));
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, at) => {
      const reading = readJsonText(line);
      const parsed = resultSchema.safeParse(reading.kind === "value" ? reading.value : undefined);
      if (parsed.success) return parsed.data;
      throw new WrongUseError(`${file}, line ${at + 1}, is not the result of a run`);
    });
}

/** A file that is named on the command line and cannot be used says why in a sentence. */
async function orWrongUse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WrongUseError(why, { cause: error });
  }
}
