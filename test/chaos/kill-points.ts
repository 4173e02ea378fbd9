/** The moments at which the process is killed, told from what it says to Redis. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ledgerScriptFiles } from "../../src/tracking/ledger-script.ts";
import { parseState, wordsOf, type NoteState } from "../../src/tracking/note-record.ts";
import type { KillPoint } from "../support/killing-proxy.ts";

type When = KillPoint["when"];
type Matcher = KillPoint["matches"];

export const BEFORE_AND_AFTER: readonly When[] = ["before", "after"];

const isScriptCall = ([name = ""]: readonly string[]): boolean => /^eval(sha)?$/i.test(name);

/** A script as the product loads it, from files put one after the other. */
function runsScript(files: readonly URL[]): Matcher {
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const digest = createHash("sha1").update(text).digest("hex");
  return (args) => isScriptCall(args) && (args[1] === digest || args[1] === text);
}

const runsLedgerScript = (name: string): Matcher => runsScript(ledgerScriptFiles(name));

/** Where a ledger script's own arguments begin: after its name, text, key count, key, and four. */
const FIRST_ARGUMENT = 8;
const LEDGER_KEY = 3;
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

/** A script on one of the lists of a lane, by the key they all begin with. */
function runsListScript(name: string, lane: string): Matcher {
  const runs = runsScript([new URL(`../../src/queue/lua/${name}.lua`, import.meta.url)]);
  return (args) => runs(args) && args[3]?.includes(`{queue-websocket-${lane}`) === true;
}

/** Matches only once `first` was seen: what an idle process does all the time is not meant. */
function onceSeen(first: Matcher, then: Matcher): Matcher {
  let seen = false;
  return (args) => {
    if (seen) return then(args);
    seen = first(args);
    return false;
  };
}

/** Of a change's arguments: the note's id, and its new state, or the record that ends with it. */
const CHANGE_ARGUMENTS = 13;
const NEW_STATE = 3;

/** A change by which the field comes to begin so: `["sms", "sending"]`. */
function setsField(field: keyof NoteState, start: string): Matcher {
  const advances = runsLedgerScript("advance");
  const known = new Map<string, NoteState>();
  return (args) => {
    if (!advances(args)) return false;
    let matches = false;
    for (let from = FIRST_ARGUMENT; from < args.length; from += CHANGE_ARGUMENTS) {
      const [id = "", , , text = ""] = args.slice(from, from + NEW_STATE + 1);
      const after = parseState(wordsOf(text.slice(text.search(/^=/m))));
      const before = known.get(id);
      known.set(id, after);
      // Of a note that was not changed before, channels were pending.
      const changed = before === undefined ? start !== "pending" : after[field] !== before[field];
      matches ||= changed && String(after[field]).startsWith(start);
    }
    return matches;
  };
}

const at =
  (matches: () => Matcher) =>
  (when: When): KillPoint => ({ matches: matches(), when });

const commandOn = (name: string, part: string): Matcher => {
  return ([command = "", key = ""]) => command.toUpperCase() === name && key.includes(part);
};

/** A key is claimed by itself, or together with others by a script. */
function claimsKey(part: string): Matcher {
  const alone = commandOn("SET", part);
  const together = runsScript([new URL("../../src/ingest/lua/claim-keys.lua", import.meta.url)]);
  return (args) => alone(args) || (together(args) && args[3]?.includes(part) === true);
}

export const idempotencyClaim = at(() => claimsKey("idem:"));
export const eventClaim = at(() => claimsKey("event:"));
/** Which of two kinds of event about one occurrence rings. */
export const occurrenceClaim = at(
  () => (args) => isScriptCall(args) && args.some((arg) => arg.includes(":occurrence:")),
);
/** Whose a batch or class is, which comes before anything is published about it. */
export const ownerLookup = at(() => commandOn("MGET", "owner:"));
export const acceptance = at(() => runsLedgerScript("accept"));
export const queued = (queue: string) => at(() => addsJob(queue));
export const taken = (queue: string) =>
  at(() => onceSeen(addsJob(queue), runsQueueScript(queue, 11, "wait", "active")));
/** A note is put on the list of an ordered lane; a shift is `queued` only where nobody is awake. */
export const pushed = (lane: string) => at(() => runsListScript("push", lane));
export const takenByShift = (lane: string) =>
  at(() => onceSeen(runsListScript("push", lane), runsListScript("take", lane)));
export const shiftEnded = (lane: string) =>
  at(() => onceSeen(runsListScript("push", lane), runsListScript("finish", lane)));
export const publication = at(() => runsLedgerScript("publish"));
/** The publication of a message to this person, with those that go with it. */
export const publicationTo = (userId: string) =>
  at(() => {
    const publishes = runsLedgerScript("publish");
    return (args) => publishes(args) && args.includes(userId);
  });
/** A gateway tells a worker what became of its frame. */
export const gatewayAnswer = at(() => commandOn("SPUBLISH", "{w}:worker:"));
export const receipt = at(() => runsLedgerScript("receipts"));
/** `becomes("sms", "sending")`: the note's record of a channel; `becomes("stage", "push")`. */
export const becomes = (field: keyof NoteState, start: string) => at(() => setsField(field, start));

/** The look at the due index that finds a note of this shard whose time has come. */
export const lease = (shard: number, fromMs: number) =>
  at(() => {
    const leases = runsLedgerScript("lease");
    return (args) =>
      leases(args) &&
      args[LEDGER_KEY]?.includes(`{s${shard}}`) === true &&
      Number(args[LEDGER_NOW]) >= fromMs;
  });
