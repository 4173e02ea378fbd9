/** What `npm run bench` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";

const SCENARIOS = ["all", "steady", "ramp", "kafka"] as const;
type Scenario = (typeof SCENARIOS)[number];

export interface BenchOptions {
  /**
   * `steady`: the main load, on the baseline and on the product; `ramp`: the product under more;
   * `kafka`: events instead of requests. `all` is the first two, which need no broker.
   */
  readonly scenario: Scenario;
  /** How long the main load is measured, after its warm-up. */
  readonly seconds: number;
  /** Notifications a second of the main load. */
  readonly rate: number;
  /** Open sockets, each of a user of its own. */
  readonly sockets: number;
  /** Events that lie on the topic when the Kafka scenario begins to read. */
  readonly records: number;
  /** Where the figures are written. */
  readonly json: string;
  /** Folder for CPU profiles of the product; undefined: none are taken. */
  readonly profile: string | undefined;
}

export const BENCH_USAGE = `npm run bench -- [--scenario <name>] [--rate <n>] [--seconds <n>] [--sockets <n>]
                 [--records <n>] [--json <file>] [--profile <folder>]

Sends notifications to open sockets and shows how long they took and whether all arrived.

  --scenario  ${SCENARIOS.join(", ")}; all unless given, which is all but kafka
  --rate      notifications a second of the steady load; 200 unless given
  --seconds   how long the steady load is measured; 30 unless given
  --sockets   open sockets, one for each user; 1000 unless given
  --records   events on the topic at the start of kafka; 20000 unless given
  --json      where the figures go; .cache/bench.json unless given
  --profile   folder for a CPU profile of the product; slows it down a little
`;

/** A slip of the finger shall not fill the memory of the machine. */
const LIMITS = { seconds: 3_600, rate: 20_000, sockets: 15_000, records: 900_000 } as const;

export type ParsedArguments =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: BenchOptions }
  | { readonly kind: "wrong"; readonly message: string };

interface Given {
  readonly help?: boolean;
  readonly scenario?: string;
  readonly seconds?: string;
  readonly rate?: string;
  readonly sockets?: string;
  readonly records?: string;
  readonly json?: string;
  readonly profile?: string;
}

function readGiven(args: readonly string[]): Given {
  const text = { type: "string" } as const;
  return parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      scenario: text,
      seconds: text,
      rate: text,
      sockets: text,
      records: text,
      json: text,
      profile: text,
    },
  }).values;
}

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseBenchArguments(args: readonly string[]): ParsedArguments {
  let given: Given;
  try {
    given = readGiven(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) return { kind: "help" };

  const scenario = SCENARIOS.find((name) => name === (given.scenario ?? "all"));
  if (scenario === undefined) {
    return wrong(`--scenario "${given.scenario}" is unknown; known: ${SCENARIOS.join(", ")}`);
  }
  const counts = { seconds: 30, rate: 200, sockets: 1_000, records: 20_000 };
  for (const name of ["seconds", "rate", "sockets", "records"] as const) {
    const text = given[name];
    if (text === undefined) continue;
    const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > LIMITS[name]) {
      return wrong(`--${name} "${text}" must be a whole number from 1 to ${LIMITS[name]}`);
    }
    counts[name] = value;
  }
  if (given.json === "" || given.profile === "") return wrong("a path must not be empty");
  const { json = ".cache/bench.json", profile } = given;
  return { kind: "options", options: { scenario, ...counts, json, profile } };
}

function wrong(message: string): ParsedArguments {
  return { kind: "wrong", message };
}
