/**
 * The waiting list of one ordered queue, in Redis, and who works it. A BullMQ job of the queue is a
 * shift: it holds the list and takes batch after batch, so that a note costs no job of its own.
 *
 * `items` wait, `taken` is the batch in hand, `awake` says `called` (a shift was asked for) or names
 * the shift that holds the list. BullMQ runs one shift at a time; whichever began last holds the list.
 *
 * What happens when a process dies, or Redis goes away,
 * - after its push, before the shift it was to add: `called` lapses, and the next push or the next
 *   look of any worker (`call`) asks anew;
 * - as a shift, with a batch in hand or without: BullMQ sees that the job stalled and starts it
 *   again; it begins with what is in `taken`, and `again` counts how often that happened to a batch.
 *   Notes that had moved on are dropped by the stage;
 * - after a shift has left and before the next one is added: as after a push;
 * - while a take is under way: the batch is in `taken`, whether its shift heard so or not. The shift
 *   ends, `finish` finds a batch that it does not know, and the next one begins with it.
 * A shift that was only slow, so that BullMQ gave its job to another worker, is refused at its next
 * take; its `finish` changes nothing. Both may then have worked one batch: the note's fence lets one
 * of them change it. What no list holds any more, the due index brings up.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, openWaiter, type Redis } from "../platform/redis.ts";
import { parseItem, writeItem, type EnvelopeItem } from "./envelope.ts";
import { queuePrefix, type StageQueue } from "./lanes.ts";

/** The name of the job; it says all there is to say. */
export const SHIFT_JOB = "shift";

/** A shift that was asked for begins within milliseconds; one that does not is asked for again. */
const CALLED_MS = 5_000;
/** A batch takes milliseconds. Past this time without a take the shift is not to be trusted. */
const HELD_MS = 15_000;
/** Items of one push; a script cannot unpack many more than 7,000 arguments. */
const PUSH_SIZE = 1_000;
const batchReply = z.array(z.string()).nullable();

const fileOf = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

interface Keys {
  readonly items: string;
  readonly awake: string;
  readonly taken: string;
  readonly again: string;
}

const TAKE_DIGEST = createHash("sha1")
  .update(readFileSync(fileOf("take")))
  .digest("hex");

/** What waits. A list of this name may be read; only the scripts here write to it. */
export function itemsKey(keyspace: Keyspace, name: string): string {
  return `${queuePrefix(keyspace, name)}:items`;
}

/** Longer than any wait: a take without an answer for so long has lost its connection. */
const SILENCE_MS = 10_000;

/** All under the queue's hash tag, beside BullMQ's own. */
function keysOf(keyspace: Keyspace, name: string): Keys {
  const base = queuePrefix(keyspace, name);
  return {
    items: itemsKey(keyspace, name),
    awake: `${base}:awake`,
    taken: `${base}:taken`,
    again: `${base}:again`,
  };
}

/** The end of a list that notes come in at. */
export interface ListInlet {
  /** Puts items at the end. True if the caller must now add a shift. */
  push(items: readonly EnvelopeItem[]): Promise<boolean>;
  /** Notes that nobody has in hand. */
  waiting(): Promise<number>;
}

/** @param redis may be shared by all lists. */
export function createListInlet(redis: Redis, keyspace: Keyspace, name: string): ListInlet {
  const keys = keysOf(keyspace, name);
  const script = loadScript(redis, "queue_push", [fileOf("push")]);
  return {
    async push(items) {
      let mustCall = false;
      for (let from = 0; from < items.length; from += PUSH_SIZE) {
        const part = items.slice(from, from + PUSH_SIZE).map(writeItem);
        const called = await script([keys.items, keys.awake], [CALLED_MS, ...part]);
        mustCall ||= called === 1;
      }
      return mustCall;
    },
    waiting: () => redis.llen(keys.items),
  };
}

/** A batch as it was handed out; `items` throws if somebody else wrote to the list. */
export interface Batch {
  readonly size: number;
  readonly first: string;
  /** How often shifts that had it in hand never came back. */
  readonly returns: number;
  items(): EnvelopeItem[];
}

/** The end of a list that shifts take from. */
export interface ListOutlet {
  /** True if something waits, nobody is awake, and the caller must now add a shift. */
  call(): Promise<boolean>;
  /** Takes the list over. The first batch is what a shift before left behind, if it did. */
  begin(shift: string): Promise<Batch>;
  /**
   * The next batch; what was handed out before is done with. Waits up to `waitSeconds` where there
   * is none, and returns an empty one then; undefined once another shift has taken over.
   */
  take(shift: string, waitSeconds: number): Promise<Batch | undefined>;
  /** Ends the shift, whose batch that began with `done` is done with. True: add the next one. */
  finish(shift: string, done: string): Promise<boolean>;
  /** Breaks off a take that waits. Nothing more can be taken afterwards. */
  close(): void;
}

function toBatch(reply: string[], returns = 0): Batch {
  return { size: reply.length, first: reply[0] ?? "", returns, items: () => reply.map(parseItem) };
}

/** @param redis may be shared by all lists, and waits until Redis is back; takes have a copy each. */
export function createListOutlet(
  redis: Redis,
  keyspace: Keyspace,
  { name, batchSize }: Pick<StageQueue, "name" | "batchSize">,
): ListOutlet {
  const { items, awake, taken, again } = keysOf(keyspace, name);
  // A take that was sent again would give up the batch of the first.
  const waiter = openWaiter(redis, SILENCE_MS);
  const call = loadScript(redis, "queue_call", [fileOf("call")]);
  const finish = loadScript(redis, "queue_finish", [fileOf("finish")]);
  const take = loadScript(waiter, "queue_take", [fileOf("take")]);
  const keys = [items, awake, taken, again];

  return {
    call: async () => (await call([items, awake, taken], [CALLED_MS])) === 1,
    async begin(shift) {
      const reply = await take(keys, [shift, HELD_MS, batchSize, "begin"]);
      const [returns, ...batch] = batchReply.parse(reply) ?? [];
      return toBatch(batch, Number(returns ?? 0));
    },
    async take(shift, waitSeconds) {
      // Moving the head to where it was waits for there to be one and changes nothing. The take
      // follows in the same write, so a push and its batch are one wake-up apart; in two writes,
      // Redis spent 42 us on each note instead of 35, at 4,000 a second. It knows the script since
      // `begin`.
      const replies = await waiter
        .pipeline()
        .blmove(items, items, "LEFT", "LEFT", waitSeconds)
        .evalsha(TAKE_DIGEST, keys.length, ...keys, shift, HELD_MS, batchSize, "next")
        .exec();
      for (const [error] of replies ?? []) if (error !== null) throw error;
      const batch = batchReply.parse(replies?.[1]?.[1]);
      return batch === null ? undefined : toBatch(batch);
    },
    finish: async (shift, done) => (await finish(keys, [shift, done, CALLED_MS])) === 1,
    close: () => waiter.disconnect(),
  };
}
