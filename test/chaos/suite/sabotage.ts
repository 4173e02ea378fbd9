/**
 * The product with one promise broken on purpose, in a copy of its source. A suite that does not notice
 * is worth nothing, so each of these has to be found out.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { PromiseName } from "./evidence.ts";
import type { FaultName } from "./faults/faults.ts";
import type { RunResult } from "./report/result.ts";

export interface Sabotage {
  /** What is done to the product, in words. */
  readonly what: string;
  /** From the root of the project. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Under these it shows. */
  readonly faults: readonly FaultName[];
  /** One of these has to be found broken: that something else went wrong is no discovery. */
  readonly breaks: readonly PromiseName[];
}

export const SABOTAGES = {
  "drop-due-entry": {
    what: "a note that waits for its next try, or for an answer, leaves the due index",
    file: "src/tracking/lua/change.lua",
    find: "  elseif due ~= '=' then\n    set_due(base, id, due)\n",
    replace: "  elseif due ~= '=' then\n    set_due(base, id, false)\n",
    faults: ["push-busy"],
    breaks: ["settled"],
  },
  "skip-fence": {
    what: "whoever decided on an older state of a note may still write its decision",
    file: "src/tracking/lua/change.lua",
    find: "  return string.match(head, '^%d*=(%d+) ') == ARGV[first + 1]\n",
    replace: "  return string.match(head, '^%d*=(%d+) ') ~= nil\n",
    faults: ["freeze-worker"],
    breaks: ["counted once", "audited once", "told to Kafka"],
  },
  "count-twice": {
    what: "of the notes that a call changes alike, one more is counted",
    file: "src/tracking/lua/call.lua",
    find: "        count(day, field, amount * repeated)\n",
    replace: "        count(day, field, amount * (repeated > 1 and repeated + 1 or repeated))\n",
    faults: [],
    breaks: ["counted once"],
  },
  "reuse-replay-id": {
    what: "a Redis that came back with older data gives out ids again that were given out before",
    file: "src/tracking/lua/publish.lua",
    find: "  if not epoch or tonumber(meta[1]) ~= generation then\n",
    replace: "  if not epoch then\n",
    faults: ["redis-rollback"],
    breaks: ["shown in order", "nothing missed"],
  },
  "resend-sms": {
    what: "an SMS whose answer never came is sent again",
    file: "src/channels/sms/errors.ts",
    find: '  return { kind: "unknown", detail: `network ${fault}` };\n',
    replace: '  return { kind: "retry", detail: `network ${fault}` };\n',
    faults: ["sms-accepting-then-hanging"],
    breaks: ["texted once"],
  },
} as const satisfies Readonly<Record<string, Sabotage>>;

/** Whether the run shows what was done, and not only that something is wrong. */
export function isCaught({ breaks }: Sabotage, { promises }: Pick<RunResult, "promises">): boolean {
  return promises.some(
    ({ promise, violations }) => violations.length > 0 && breaks.includes(promise),
  );
}

export type SabotageName = keyof typeof SABOTAGES;

export const isSabotageName = (name: string): name is SabotageName =>
  Object.hasOwn(SABOTAGES, name);
// The table's own keys; Object.keys has no type for them.
export const SABOTAGE_NAMES: readonly SabotageName[] =
  Object.keys(SABOTAGES).filter(isSabotageName);

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const COPIED = ["src", "templates", "locales", "package.json"] as const;

/** @throws Error if the place is not there, or not the only one: the product has moved on */
export function applySabotage(text: string, { file, find, replace }: Sabotage): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} places like this, not one: ${find.trim()}`);
  }
  return parts.join(replace);
}

export interface SabotagedProduct {
  /** Where its `src/main.ts` is started. */
  readonly root: string;
  remove(): Promise<void>;
}

export async function prepareSabotage(name: SabotageName): Promise<SabotagedProduct> {
  const sabotage = SABOTAGES[name];
  const root = await mkdtemp(path.join(tmpdir(), "schoolbell-sabotage-"));
  for (const part of COPIED) {
    await cp(path.join(ROOT, part), path.join(root, part), { recursive: true });
  }
  await symlink(path.join(ROOT, "node_modules"), path.join(root, "node_modules"));
  await mkdir(path.join(root, ".cache"), { recursive: true });
  const file = path.join(root, sabotage.file);
  await writeFile(file, applySabotage(await readFile(file, "utf8"), sabotage));
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}
