/** What `npm run chaos` was asked for: its arguments, parsed and judged. */
import { parseArgs } from "node:util";
import { FAULT_NAMES, isFaultName, isPossible, type FaultName } from "./faults/faults.ts";
import { isSabotageName, SABOTAGE_NAMES, SABOTAGES, type SabotageName } from "./sabotage.ts";
import { STORE_KINDS, type StoreKind } from "./store.ts";
import type { TimesName } from "./times.ts";

export interface ChaosOptions {
  readonly seeds: readonly number[];
  /** Undefined: drawn from each seed. */
  readonly faults: readonly FaultName[] | undefined;
  readonly ratePerSecond: number;
  readonly times: TimesName;
  readonly store: StoreKind;
  /** Where the results are added, a line of JSON for each run. */
  readonly file: string | undefined;
  /** Breaks of the product, each of which has to be found out. */
  readonly sabotages: readonly SabotageName[];
  /** A revision of the product that each role's second process runs. */
  readonly beside: string | undefined;
  /** Prints a table of the runs in `file` and runs nothing. */
  readonly tableOnly: boolean;
}

const MOST_RUNS = 10_000;
const MOST_PER_SECOND = 500;
const DEFAULT_RATE = 40;

export const CHAOS_USAGE = `npm run chaos -- [--seed <n>] [--runs <n>] [--faults <name,name>] [options]

Runs the product with its roles apart, breaks something, and holds what every client, every provider
and the product itself saw against what is promised. Ends with 1 if anything was lost or doubled.

  --seed      the first run's; runs count up from it; 1 unless given. A seed decides who is written to,
              what is asked for and what breaks when
  --runs      how many; 1 unless given
  --faults    what breaks, instead of what the seed says; none: nothing does
  --rate      notifications a second; ${DEFAULT_RATE} unless given
  --times     short (leases, locks and waits of seconds; the default) or own (the product's own)
  --sabotage  breaks the product on purpose, in one of the ways below or in all, a run for each, and
              ends with 1 if one is not found out. Each brings the faults under which it shows, unless
              --faults names others
  --store     single (the default) or cluster: three masters with a replica each
  --beside    another revision (a tag, a branch, HEAD~1): the second process of each role runs it,
              side by side with this one
  --file      adds each run's result to this file
  --table     prints the tables of the runs in --file, as Markdown; runs nothing

Faults: ${FAULT_NAMES.join(", ")}
Sabotage: ${SABOTAGE_NAMES.join(", ")}, all
`;

export type ParsedChaosArguments =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: ChaosOptions }
  | { readonly kind: "wrong"; readonly message: string };

/** @returns what is wanted; or one sentence that says what is wrong with the arguments. */
export function parseChaosArguments(args: readonly string[]): ParsedChaosArguments {
  let values: ReturnType<typeof read>;
  try {
    values = read(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return { kind: "help" };
  const seed = wholeNumber(values.seed ?? "1");
  const runs = wholeNumber(values.runs ?? "1");
  const rate = wholeNumber(values.rate ?? String(DEFAULT_RATE));
  if (seed === 0) return wrong("--seed must be a whole number above 0");
  if (runs === 0 || runs > MOST_RUNS) return wrong(`--runs must be from 1 to ${MOST_RUNS}`);
  if (rate === 0 || rate > MOST_PER_SECOND) {
    return wrong(`--rate must be from 1 to ${MOST_PER_SECOND}`);
  }
  const names = values.faults?.split(",").filter((name) => name !== "" && name !== "none");
  const unknown = names?.find((name) => !isFaultName(name));
  if (unknown !== undefined) {
    return wrong(`--faults: "${unknown}" is none of the faults`);
  }
  const times = values.times ?? "short";
  if (times !== "short" && times !== "own") return wrong("--times must be short or own");
  const store = STORE_KINDS.find((kind) => kind === (values.store ?? "single"));
  if (store === undefined) return wrong("--store must be single or cluster");
  const sabotages = sabotagesOf(values.sabotage);
  if (sabotages === undefined) {
    return wrong(`--sabotage: "${values.sabotage}" is none of ${SABOTAGE_NAMES.join(", ")}, all`);
  }
  const { file, beside, table: tableOnly = false } = values;
  const faults = names?.filter(isFaultName);
  const misplaced = (faults ?? sabotages.flatMap((name) => [...SABOTAGES[name].faults])).find(
    (name) => !isPossible(name, store),
  );
  if (misplaced !== undefined) {
    return wrong(
      `${misplaced} goes only with --store ${store === "single" ? "cluster" : "single"}`,
    );
  }
  if (sabotages.length > 0 && (values.runs ?? file) !== undefined) {
    return wrong("--sabotage goes with neither --runs nor --file");
  }
  if (beside !== undefined && sabotages.length > 0) {
    return wrong("--beside and --sabotage do not go together");
  }
  if (tableOnly && file === undefined) return wrong("--table needs --file");
  return {
    kind: "options",
    options: {
      seeds: Array.from({ length: runs }, (_, at) => seed + at),
      faults,
      ratePerSecond: rate,
      times,
      store,
      sabotages,
      beside,
      file,
      tableOnly,
    },
  };
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: text,
      runs: text,
      faults: text,
      rate: text,
      times: text,
      store: text,
      sabotage: text,
      beside: text,
      file: text,
      table: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  return values;
}

function sabotagesOf(given: string | undefined): readonly SabotageName[] | undefined {
  if (given === undefined) return [];
  if (given === "all") return SABOTAGE_NAMES;
  return isSabotageName(given) ? [given] : undefined;
}

/** 0 for what is none above 0. */
function wholeNumber(given: string): number {
  return /^\d{1,9}$/.test(given) ? Number(given) : 0;
}

const wrong = (message: string) => ({ kind: "wrong", message }) as const;
