/** What `npm run bench` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";
import { SCENARIOS, type ScenarioName } from "./scenarios.ts";

export interface BenchOptions {
  /** What is run, in the order of the list; all unless some were named. */
  readonly scenarios: readonly ScenarioName[];
  /** How long each load is measured; undefined: as long as the scenario needs for its purpose. */
  readonly seconds: number | undefined;
  /** Open sockets, each of a user of its own; undefined: the scenario's own number. */
  readonly sockets: number | undefined;
  /** Events that lie on the topic when the Kafka scenario begins to read. */
  readonly events: number;
  /** Known users of the largest step of `growth`. */
  readonly users: number;
  /** How often `growth` measures each step, for the median. */
  readonly rounds: number;
  /** Where the figures are written. */
  readonly json: string;
  /** Folder for CPU profiles of the product; undefined: none are taken. */
  readonly profile: string | undefined;
}

const NAMES = SCENARIOS.map(({ name }) => name);

export const BENCH_USAGE = `npm run bench -- [--scenario <name>[,<name>]] [--seconds <n>] [--sockets <n>] [--events <n>]
                 [--users <n>] [--rounds <n>] [--json <file>] [--profile <folder>]

Measures the product beside what it stands on, and checks that nothing is lost on the way.

  --scenario  which ones, as a comma list or several times; all unless given
${SCENARIOS.map(({ title }) => `                ${title}`).join("\n")}
  --seconds   how long each load is measured; unless given, as long as each scenario needs
  --sockets   open sockets, one for each user; unless given, as many as each scenario needs
  --events    events on the topic when kafka begins to read; 60000 unless given
  --users     known users of the largest step of growth; 1000000 unless given
  --rounds    how often growth measures each step, for the median; 5 unless given
  --json      where the figures go; .cache/bench.json unless given
  --profile   folder for CPU profiles of the product; slows it down a little
`;

const COUNTS = ["seconds", "sockets", "events", "users", "rounds"] as const;
/** A slip of the finger shall not fill the memory of the machine. */
const LIMITS = {
  seconds: 3_600,
  sockets: 15_000,
  events: 900_000,
  users: 5_000_000,
  rounds: 25,
} as const;

export type ParsedArguments =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: BenchOptions }
  | { readonly kind: "wrong"; readonly message: string };

function readGiven(args: readonly string[]) {
  const text = { type: "string" } as const;
  return parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      scenario: { type: "string", multiple: true },
      seconds: text,
      sockets: text,
      events: text,
      users: text,
      rounds: text,
      json: text,
      profile: text,
    },
  }).values;
}

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseBenchArguments(args: readonly string[]): ParsedArguments {
  let given: ReturnType<typeof readGiven>;
  try {
    given = readGiven(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) return { kind: "help" };

  const wanted = (given.scenario ?? []).flatMap((names) => names.split(","));
  const strange = wanted.find((name) => !NAMES.some((known) => known === name));
  if (strange !== undefined) {
    return wrong(`--scenario "${strange}" is unknown; known: ${NAMES.join(", ")}`);
  }
  const scenarios = wanted.length === 0 ? NAMES : NAMES.filter((name) => wanted.includes(name));
  const counts: Partial<Record<(typeof COUNTS)[number], number>> = {};
  for (const name of COUNTS) {
    const text = given[name];
    if (text === undefined) continue;
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > LIMITS[name]) {
      return wrong(`--${name} "${text}" must be a whole number from 1 to ${LIMITS[name]}`);
    }
    counts[name] = value;
  }
  if (given.json === "" || given.profile === "") return wrong("a path must not be empty");
  const { json = ".cache/bench.json", profile } = given;
  const { seconds, sockets, events = 60_000, users = 1_000_000, rounds = 5 } = counts;
  const options = { scenarios, seconds, sockets, events, users, rounds, json, profile };
  return { kind: "options", options };
}

function wrong(message: string): ParsedArguments {
  return { kind: "wrong", message };
}
