/** What `npm run soak` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";

export interface SoakOptions {
  readonly minutes: number;
  /** Notifications a second, whichever way they come in. */
  readonly rate: number;
  /** Open at a time; each lives for 5 to 60 s. */
  readonly sockets: number;
  readonly seed: number;
  /** Whether a sixth of the load comes from Kafka, and outcomes go there. */
  readonly kafka: boolean;
  /** Seconds between collections of garbage that the soak asks for; 0: it asks for none. */
  readonly collect: number;
  /** Where the samples are written. */
  readonly json: string;
  /** Folder for two heap snapshots of each process; undefined: none are taken. */
  readonly snapshots: string | undefined;
}

type ParsedArguments =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: SoakOptions }
  | { readonly kind: "wrong"; readonly message: string };

export const SOAK_USAGE = `npm run soak -- [--minutes <n>] [--rate <n>] [--sockets <n>] [--seed <n>] [--kafka]
                [--collect <seconds>] [--json <file>] [--snapshots <folder>]

Keeps the product busy with a steady load and connections that come and go, each role a process of
its own, and tells whether the memory of any process or of Redis grows.

  --minutes    how long; 30 unless given. The second half is judged: what fills up at first takes 10 to
               15 minutes, so that a shorter run takes that for growth
  --rate       notifications a second; 60 unless given
  --sockets    open at a time; 500 unless given
  --seed       of the choices that are made; 1 unless given
  --kafka      a sixth of the load comes from a Kafka broker, which is started, as are the roles that
               read it, and outcomes go there
  --collect    seconds between collections of garbage that are asked for, so that what is left can be
               compared; 0: none, and memory is what an operator sees; 60 unless given
  --json       where the samples go; .cache/soak.json unless given
  --snapshots  folder for heap snapshots of each process: after a third of the time, and at the end

Exit code 0: nothing grows. 1: something does, or a notification did not come to its end. 2: wrong use.
`;

/** A slip of the finger shall not keep the machine busy for a year. */
const COUNTS = {
  minutes: { least: 1, most: 10_080, usual: 30 },
  rate: { least: 1, most: 5_000, usual: 60 },
  sockets: { least: 1, most: 15_000, usual: 500 },
  seed: { least: 0, most: 9_999_999, usual: 1 },
  collect: { least: 0, most: 3_600, usual: 60 },
} as const;

type CountName = keyof typeof COUNTS;

function readGiven(args: readonly string[]) {
  const text = { type: "string" } as const;
  return parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h" },
      kafka: { type: "boolean" },
      minutes: text,
      rate: text,
      sockets: text,
      seed: text,
      collect: text,
      json: text,
      snapshots: text,
    },
  }).values;
}

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseSoakArguments(args: readonly string[]): ParsedArguments {
  let given: ReturnType<typeof readGiven>;
  try {
    given = readGiven(args);
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
  if (given.help === true) return { kind: "help" };
  const wrong: string[] = [];
  const count = (name: CountName): number => {
    const { least, most, usual } = COUNTS[name];
    const text = given[name];
    if (text === undefined) return usual;
    const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    wrong.push(`--${name} "${text}" must be a whole number from ${least} to ${most}`);
    return usual;
  };
  const { json = ".cache/soak.json", snapshots, kafka = false } = given;
  if (json === "" || snapshots === "") wrong.push("a path must not be empty");
  const options: SoakOptions = {
    minutes: count("minutes"),
    rate: count("rate"),
    sockets: count("sockets"),
    seed: count("seed"),
    collect: count("collect"),
    kafka,
    json,
    snapshots,
  };
  const [message] = wrong;
  return message === undefined ? { kind: "options", options } : { kind: "wrong", message };
}
