/** A user's history as gateway nodes read it: where it stands, and the messages after a place in it. */
import { z } from "zod";
import { parseHistoryEntry, type HistoryEntry } from "../contract/node-message.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, type ScriptArgument, type Redis } from "../platform/redis.ts";
import { byShard, spanOf } from "./shard-batches.ts";

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
const positionsSchema = z.array(z.string());

function parseView(reply: unknown): HistoryView {
  const [epoch, last, base, oldest, missing, ...texts] = replySchema.parse(reply);
  const entries: HistoryEntry[] = [];
  // The newest comes first.
  for (let at = texts.length - 2; at >= 0; at -= 2) {
    entries.push(parseHistoryEntry(texts[at] ?? "", texts[at + 1] ?? ""));
  }
  return {
    epoch: epoch === "" ? null : epoch,
    last,
    base,
    oldest: oldest === "" ? null : Number(oldest),
    missing,
    entries,
  };
}

/** The reply of `positions.lua`: an epoch and a last id for each user. */
function parsePositions(reply: unknown): Position[] {
  const fields = positionsSchema.parse(reply);
  const positions: Position[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [epoch = "", last = "0"] = [fields[at], fields[at + 1]];
    positions.push({ epoch: epoch === "" ? null : epoch, id: Number(last) });
  }
  return positions;
}

/** All methods reject when Redis does not answer. */
export function createHistory(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  /** Messages that are replayed at most. */
  readonly size: number;
  /** One call for each shard, as a Redis Cluster needs; left out: as the connection is. */
  readonly apart?: boolean | undefined;
}): History {
  const { redis, keyspace, clock, size } = deps;
  const span = spanOf(deps);
  const run = loadScript(redis, "schoolbellJoin", [new URL("lua/join.lua", import.meta.url)]);
  const runPositions = loadScript(redis, "schoolbellPositions", [
    new URL("lua/positions.lua", import.meta.url),
  ]);

  async function view(userId: string, args: readonly ScriptArgument[]): Promise<HistoryView> {
    const shard = keyspace.shardOfUser(userId);
    const keys = ["here", "meta", "hist", "pend"].map((name) =>
      keyspace.sharded(shard, `${name}:${userId}`),
    );
    const due = keyspace.sharded(shard, "due");
    return parseView(await run([...keys, due], [clock.now(), size, ...args]));
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

    positions: (userIds) =>
      byShard(
        userIds,
        (userId) => keyspace.shardOfUser(userId),
        async (_shard, chunk) => {
          const keys = chunk.map((userId) =>
            keyspace.sharded(keyspace.shardOfUser(userId), `meta:${userId}`),
          );
          return parsePositions(await runPositions(keys, []));
        },
        span,
      ),
  };
}
