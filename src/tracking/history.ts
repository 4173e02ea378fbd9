/** A user's history as gateway nodes read it: where it stands, and the messages after a place in it. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { parseHistoryEntry, type HistoryEntry } from "../contract/node-message.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, type ScriptArgument } from "../platform/redis.ts";

/** A place in a history. `epoch` is null while the user never had a message. */
export interface Position {
  readonly epoch: string | null;
  readonly id: number;
}

/** What one look at a history gave. `entries` ascend; their payloads are sealed. */
export interface HistoryView {
  readonly epoch: string | null;
  /** The last replay id given out; 0 before the first. */
  readonly last: number;
  /** The first replay id of this epoch is `base + 1`. */
  readonly base: number;
  /** The oldest replay id still kept; null if none is. */
  readonly oldest: number | null;
  /** Pending messages that the history no longer keeps. */
  readonly missing: number;
  readonly entries: readonly HistoryEntry[];
}

/** Which messages a joining socket asks for: those it never met, those after an id, or none. */
export type ReplayRequest =
  | { readonly kind: "pending" }
  | { readonly kind: "none" }
  | { readonly kind: "after"; readonly id: number; readonly epoch: string | undefined };

export interface JoinRequest {
  readonly userId: string;
  readonly nodeId: string;
  /** How many sockets of this user the node holds, the joining one included. */
  readonly sockets: number;
  readonly replay: ReplayRequest;
}

export interface NoteAt {
  readonly replayId: number;
  readonly noteId: string;
}

export interface History {
  /** Registers the node as holding the user and reads what is to be replayed, in one step. */
  join(request: JoinRequest): Promise<HistoryView>;
  /** What was added after `position`, also when another epoch began meanwhile. */
  since(userId: string, position: Position): Promise<HistoryView>;
  /** Notes with `above < replay id <= through` in one epoch, as far as they are kept. */
  notes(
    userId: string,
    range: { epoch: string; above: number; through: number },
  ): Promise<readonly NoteAt[]>;
  /** Where the histories of many users stand, in the order of `userIds`. */
  positions(userIds: readonly string[]): Promise<readonly Position[]>;
}

const replySchema = z.tuple(
  [z.string(), z.coerce.number(), z.coerce.number(), z.string(), z.coerce.number()],
  z.string(),
);
const metaSchema = z.tuple([z.string().nullable(), z.coerce.number()]);

/** Users per pipeline when positions are read: about 60 KB each way. */
const POSITIONS_PER_PIPELINE = 500;

function parseView(reply: unknown): HistoryView {
  const [epoch, last, base, oldest, missing, ...entries] = replySchema.parse(reply);
  return {
    epoch: epoch === "" ? null : epoch,
    last,
    base,
    oldest: oldest === "" ? null : Number(oldest),
    missing,
    entries: entries.map((entry) => parseHistoryEntry(entry)).toReversed(),
  };
}

/** All methods reject when Redis does not answer. */
export function createHistory(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
}): History {
  const { redis, keyspace, clock } = deps;
  const run = loadScript(redis, "schoolbellJoin", [new URL("lua/join.lua", import.meta.url)]);

  async function view(userId: string, args: readonly ScriptArgument[]): Promise<HistoryView> {
    const shard = keyspace.shardOfUser(userId);
    const keys = ["here", "meta", "hist", "pend"].map((name) =>
      keyspace.sharded(shard, `${name}:${userId}`),
    );
    return parseView(await run(keys, [clock.now(), ...args]));
  }

  return {
    join({ userId, nodeId, sockets, replay }) {
      const from = replay.kind === "after" ? [replay.id, replay.epoch ?? ""] : [0, ""];
      return view(userId, [nodeId, sockets, replay.kind, ...from, 0]);
    },

    since: (userId, position) =>
      view(userId, ["", 0, "newer", position.id, position.epoch ?? "", 0]),

    async notes(userId, { epoch, above, through }) {
      const found = await view(userId, ["", 0, "notes", above, epoch, through]);
      return found.entries.map(({ replayId, noteId }) => ({ replayId, noteId }));
    },

    async positions(userIds) {
      const found: Position[] = [];
      for (let from = 0; from < userIds.length; from += POSITIONS_PER_PIPELINE) {
        const pipeline = redis.pipeline();
        for (const userId of userIds.slice(from, from + POSITIONS_PER_PIPELINE)) {
          const key = keyspace.sharded(keyspace.shardOfUser(userId), `meta:${userId}`);
          pipeline.hmget(key, "epoch", "last");
        }
        for (const [error, reply] of (await pipeline.exec()) ?? []) {
          if (error !== null) throw error;
          const [epoch, last] = metaSchema.parse(reply);
          found.push({ epoch, id: last });
        }
      }
      return found;
    },
  };
}
