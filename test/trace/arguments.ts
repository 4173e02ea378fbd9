/** What `npm run trace` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";
import { FAULT_NAMES, type FaultName } from "./faults.ts";

export interface TraceOptions {
  /** Empty: a term is made up. */
  readonly files: readonly string[];
  readonly fault: FaultName | undefined;
  /** Undefined: old enough for all of the trace. */
  readonly maxAgeSeconds: number | undefined;
  /** Processes of the ingest role, and of the projector role. */
  readonly readers: number;
}

const MOST_READERS = 4;

export const TRACE_USAGE = `npm run trace -- [--fault <name>] [--max-age <seconds>] [--readers <n>] [<file.jsonl> ...]

Replays recorded events against the running product and holds what became of each against an
independent count. A line of a file is one record: {"topic", "key", "value"}. Without files a school
term is made up.

  --fault    what goes wrong meanwhile: ${FAULT_NAMES.join(", ")}
  --max-age  events older than this are skipped; none of a file unless given
  --readers  processes of the ingest role and of the projector role; 1 unless given

KAFKA_BOOTSTRAP_SERVERS names a broker to use; unless it is set, one is started.
`;

export type ParsedTraceArguments =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: TraceOptions }
  | { readonly kind: "wrong"; readonly message: string };

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseTraceArguments(args: readonly string[]): ParsedTraceArguments {
  let given: ReturnType<typeof read>;
  try {
    given = read(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals: files } = given;
  if (values.help === true) return { kind: "help" };
  const fault = FAULT_NAMES.find((name) => name === values.fault);
  if (values.fault !== undefined && fault === undefined) {
    return wrong(`--fault "${values.fault}" is unknown; known: ${FAULT_NAMES.join(", ")}`);
  }
  const maxAge = values["max-age"];
  const maxAgeSeconds = maxAge === undefined ? undefined : wholeNumber(maxAge);
  if (maxAgeSeconds === 0) return wrong("--max-age must be a whole number of seconds");
  const readers = wholeNumber(values.readers ?? "1");
  if (readers === 0 || readers > MOST_READERS) {
    return wrong(`--readers must be a whole number from 1 to ${MOST_READERS}`);
  }
  return { kind: "options", options: { files, fault, maxAgeSeconds, readers } };
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      fault: text,
      "max-age": text,
      readers: text,
    },
  });
}

/** @returns 0 for what is no whole number above 0 */
function wholeNumber(text: string): number {
  return /^[1-9]\d{0,7}$/.test(text) ? Number(text) : 0;
}

function wrong(message: string): ParsedTraceArguments {
  return { kind: "wrong", message };
}
