/** The moments at which the process is killed, told from what it says to Redis. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { KillPoint } from "../support/killing-proxy.ts";

type When = KillPoint["when"];
type Matcher = KillPoint["matches"];

export const BEFORE_AND_AFTER: readonly When[] = ["before", "after"];

/** The ledger's scripts as the product loads them. */
function ledgerScript(name: string): { readonly text: string; readonly digest: string } {
  const text = ["ledger", name]
    .map((file) => new URL(`../../src/tracking/lua/${file}.lua`, import.meta.url))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  return { text, digest: createHash("sha1").update(text).digest("hex") };
}

const isScriptCall = ([name = ""]: readonly string[]): boolean => /^eval(sha)?$/i.test(name);

function runsLedgerScript(name: string): Matcher {
  const { text, digest } = ledgerScript(name);
  return (args) => isScriptCall(args) && (args[1] === digest || args[1] === text);
}

/** Where a ledger script's own arguments begin: after its name, text, key count, key, and four. */
const FIRST_ARGUMENT = 8;
const LEDGER_PREFIX = 4;
const LEDGER_NOW = 5;

/** A BullMQ script, by the number of its keys and the names its first ones end with. */
function runsQueueScript(queue: string, keyCount: number, ...endings: readonly string[]): Matcher {
  return (args) =>
    isScriptCall(args) &&
    args[2] === String(keyCount) &&
    endings.every((ending, index) => {
      const key = args[3 + index] ?? "";
      return key.includes(`{queue-${queue}`) && key.endsWith(`:${ending}`);
    });
}

const addsJob = (queue: string): Matcher => runsQueueScript(queue, 9, "wait", "paused", "meta");

/** Matches only once `first` was seen: what an idle process does all the time is not meant. */
function onceSeen(first: Matcher, then: Matcher): Matcher {
  let seen = false;
  return (args) => {
    if (seen) return then(args);
    seen = first(args);
    return false;
  };
}

const changesSchema = z.array(z.object({ set: z.array(z.union([z.string(), z.number()])) }));

/** A change that sets the field to something beginning so: `["sms", "sending"]`. */
function setsField(field: string, start: string): Matcher {
  const advances = runsLedgerScript("advance");
  return (args) => {
    if (!advances(args)) return false;
    const changes = changesSchema.parse(JSON.parse(args[FIRST_ARGUMENT] ?? "[]"));
    return changes.some(({ set }) =>
      set.some(
        (name, at) => at % 2 === 0 && name === field && String(set[at + 1] ?? "").startsWith(start),
      ),
    );
  };
}

const at =
  (matches: () => Matcher) =>
  (when: When): KillPoint => ({ matches: matches(), when });

const commandOn = (name: string, part: string): Matcher => {
  return ([command = "", key = ""]) => command.toUpperCase() === name && key.includes(part);
};

export const idempotencyClaim = at(() => commandOn("SET", "idem:"));
export const eventClaim = at(() => commandOn("SET", "event:"));
/** Which of two kinds of event about one occurrence rings. */
export const occurrenceClaim = at(
  () => (args) => isScriptCall(args) && args.some((arg) => arg.includes(":occurrence:")),
);
/** Whose a batch or class is, which comes before anything is published about it. */
export const ownerLookup = at(() => commandOn("GET", "owner:"));
export const acceptance = at(() => runsLedgerScript("accept"));
export const queued = (queue: string) => at(() => addsJob(queue));
export const taken = (queue: string) =>
  at(() => onceSeen(addsJob(queue), runsQueueScript(queue, 11, "wait", "active")));
export const finished = (queue: string) =>
  at(() => onceSeen(addsJob(queue), runsQueueScript(queue, 14, "wait", "active")));
export const publication = at(() => runsLedgerScript("publish"));
/** A gateway tells a worker what became of its frame. */
export const gatewayAnswer = at(() => commandOn("SPUBLISH", "{w}:worker:"));
export const receipt = at(() => runsLedgerScript("receipts"));
/** `becomes("sms", "sending")`: the note's record of a channel; `becomes("stage", "push")`. */
export const becomes = (field: string, start: string) => at(() => setsField(field, start));

/** The look at the due index that finds a note of this shard whose time has come. */
export const lease = (shard: number, fromMs: number) =>
  at(() => {
    const leases = runsLedgerScript("lease");
    return (args) =>
      leases(args) &&
      args[LEDGER_PREFIX]?.includes(`{s${shard}}`) === true &&
      Number(args[LEDGER_NOW]) >= fromMs;
  });
