/**
 * The ledger: notes and the due index in Redis. Each operation is one script per shard and at most
 * 50 notes, so that Redis is never held for long.
 */
import { z } from "zod";
import type { Channel, Lane } from "../contract/vocabulary.ts";
import type { Sealing } from "../platform/sealing.ts";
import type { FreshNotes } from "./fresh-notes.ts";
import { afterChange, type NewNote, type NoteChange, type Publication } from "./ledger-changes.ts";

import { OWN_FORMATS } from "./ledger-format.ts";
import { loadLedgerScript, type LedgerScriptDeps } from "./ledger-script.ts";
import { wireChange, wireFrame, writeNewNote, type WrittenNote } from "./ledger-wire.ts";
import type { Note } from "./note.ts";
import { createNoteReader, shardOf } from "./note-reader.ts";
import { byShard, spanOf, sumOverShards } from "./shard-batches.ts";
import { isSettled } from "./status-machine.ts";

/** What is scheduled beyond does not crowd out what is to be sent now. */
const SOON_MS = 3_600_000;

/** A receipt may come between reading and writing, but not for ever. */
const ADVANCE_TRIES = 3;

/** `waiting`: it existed, and nothing has begun; its creator may not have lived to queue it. */
export type AcceptResult = "created" | "existed" | "suppressed" | "waiting";
const ACCEPT_RESULTS: readonly AcceptResult[] = ["existed", "created", "suppressed", "waiting"];

export interface Published {
  /** Gateway nodes that were sent the frame; -1 if the note had moved on before. */
  readonly nodes: number;
  readonly replayId: string;
  readonly epoch: string;
}

const NOT_PUBLISHED: Published = { nodes: -1, replayId: "", epoch: "" };

/** Opens nothing: a request then counts as one that cannot be read. */
const SHUT: Pick<Sealing, "open"> = {
  open() {
    throw new Error("it stays shut");
  },
};

export interface DueNote {
  readonly id: string;
  readonly userId: string;
  readonly stage: Channel;
  readonly lane: Lane;
  readonly attempt: number;
}

export interface LedgerOptions extends LedgerScriptDeps {
  readonly sealing: Sealing;
  /** Seals frames. Left out: as everything else. */
  readonly frameSealing?: Pick<Sealing, "seal"> | undefined;
  /** Notifications a minute to one user; 0 for no limit. */
  readonly recipientLimitPerMinute: number;
  readonly historySize: number;
  readonly historySeconds: number;
  readonly pendingSeconds: number;
  /** Notes created here are worked on here as well. */
  readonly fresh?: FreshNotes | undefined;
}

export interface Ledger {
  /** Creates notes that do not exist yet, with their warnings. Results are in the order given. */
  accept(notes: readonly NewNote[]): Promise<AcceptResult[]>;
  /** The notes that exist, by id. */
  fetch(ids: readonly string[]): Promise<Map<string, Note>>;
  /** As `fetch`, without what they say, which is not even opened. */
  fetchUnopened(ids: readonly string[]): Promise<Map<string, Note>>;
  /** As `fetch`, to work on them: what was created here is not read back. */
  fetchToWork(ids: readonly string[]): Promise<Map<string, Note>>;
  /** Applies changes to notes that are still what they were; true for each that was applied. */
  advance(changes: readonly NoteChange[]): Promise<boolean[]>;
  /** Gives frames their place in the history and sends them to the gateways. */
  publish(publications: readonly Publication[], workerId: string): Promise<Published[]>;
  /** Leases what is due on one shard: at most `limit` notes for `leaseMs`. */
  leaseDue(shard: number, leaseMs: number, limit: number): Promise<DueNote[]>;
  /** Unsettled notes over all shards, without those that are scheduled for later than in an hour. */
  depth(): Promise<number>;
  /** Notes whose time has passed and that nobody has leased, over all shards. */
  overdue(): Promise<number>;
  /** Steps that others are yet to be told of, over all shards; 0 where nobody is. */
  outcomeBacklog(): Promise<number>;
  /** Messages ever sequenced, over all shards. */
  sequenced(): Promise<number>;
}

const flags = z.array(z.number());
const publishReply = z.array(z.tuple([z.number()]).rest(z.union([z.number(), z.string()])));
const leaseReply = z.array(
  z.union([
    z.tuple([
      z.string(),
      z.string(),
      z.enum(["websocket", "push", "sms"]),
      z.enum(["urgent", "normal", "bulk"]),
      z.coerce.number().int(),
    ]),
    z.tuple([z.string()]),
  ]),
);

export function createLedger(options: LedgerOptions): Ledger {
  const { redis, keyspace, clock, sealing, pendingSeconds } = options;
  const { frameSealing = sealing, formats = OWN_FORMATS } = options;
  const acceptScript = loadLedgerScript(options, "accept");
  const advanceScript = loadLedgerScript(options, "advance");
  const publishScript = loadLedgerScript(options, "publish");
  const leaseScript = loadLedgerScript(options, "lease");
  const span = spanOf(options);

  const fetch = createNoteReader(options);
  const fetchUnopened = createNoteReader({ ...options, sealing: SHUT });

  function keepFresh(written: readonly WrittenNote[], results: readonly AcceptResult[]): void {
    written.forEach(({ created }, at) => {
      // One that existed may have gone on; those that are scheduled wait too long.
      const plain = results[at] === "created" && created.status === "queued";
      if (plain) options.fresh?.keep(created);
    });
  }

  async function fetchToWork(ids: readonly string[]): Promise<Map<string, Note>> {
    const { fresh } = options;
    if (fresh === undefined) return await fetch(ids);
    const kept = new Map<string, Note>();
    const missing: string[] = [];
    for (const id of ids) {
      const note = fresh.take(id);
      if (note === undefined) missing.push(id);
      else kept.set(id, note);
    }
    if (missing.length === 0) return kept;
    return new Map([...kept, ...(await fetch(missing))]);
  }

  const tryAdvance = (changes: readonly NoteChange[]): Promise<boolean[]> =>
    byShard(
      changes,
      (change) => shardOf(keyspace, change.note.id),
      async (shard, chunk) => {
        const context = { now: clock.now(), pendingSeconds, mark: formats.mark() };
        const wire = chunk.flatMap((change) => wireChange(change, context));
        const reply = flags.parse(await advanceScript(shard, wire));
        return reply.map((flag) => flag === 1);
      },
      span,
    );

  async function advance(changes: readonly NoteChange[]): Promise<boolean[]> {
    const results = changes.map(() => false);
    let open = changes
      .map((change, at) => ({ change, at }))
      .filter(({ change }) => !isSettled(change.note.status));
    for (let tries = 0; open.length > 0 && tries < ADVANCE_TRIES; tries += 1) {
      const applied = await tryAdvance(open.map(({ change }) => change));
      const refused = open.filter(({ at }, index) => {
        results[at] = applied[index] === true;
        return applied[index] !== true;
      });
      open = refused.length === 0 ? [] : await rebase(refused);
    }
    return results;
  }

  /**
   * Those whose notes only had a receipt since they were read, or are now waited for by another
   * request: the same change on the note as it is.
   */
  async function rebase<T extends { readonly change: NoteChange }>(
    refused: readonly T[],
  ): Promise<T[]> {
    const notes = await fetch(refused.map(({ change }) => change.note.id));
    return refused.flatMap((one) => {
      const { change } = one;
      const note = notes.get(change.note.id);
      const same = note?.fence === change.note.fence && note.status === change.note.status;
      return same ? [{ ...one, change: { ...change, note, isRebased: true } }] : [];
    });
  }

  const tryPublish = (
    publications: readonly Publication[],
    workerId: string,
  ): Promise<Published[]> =>
    byShard(
      publications,
      (publication) => shardOf(keyspace, publication.sent.note.id),
      async (shard, chunk) => {
        const context = { now: clock.now(), pendingSeconds, workerId, mark: formats.mark() };
        const reply = await publishScript(shard, [
          options.historySize,
          options.historySeconds,
          crypto.randomUUID().slice(0, 8),
          pendingSeconds,
          ...chunk.flatMap((publication) => wireFrame(publication, frameSealing, context)),
        ]);
        return publishReply.parse(reply).map(([nodes, replayId = "", epoch = ""]) => ({
          nodes,
          replayId: String(replayId),
          epoch: String(epoch),
        }));
      },
      span,
    );

  return {
    accept: (notes) =>
      byShard(
        notes,
        (note) => keyspace.shardOfUser(note.userId),
        async (shard, chunk) => {
          const written = chunk.map((note) =>
            writeNewNote(note, { sealing, mark: formats.mark() }),
          );
          const wire = written.flatMap((note) => note.wire);
          const limit = options.recipientLimitPerMinute;
          const reply = flags.parse(await acceptScript(shard, [limit, ...wire]));
          const results = reply.map((flag) => ACCEPT_RESULTS[flag] ?? "existed");
          keepFresh(written, results);
          return results;
        },
        span,
      ),

    fetch,
    fetchUnopened,
    fetchToWork,

    advance,

    async publish(publications, workerId) {
      const results = [...(await tryPublish(publications, workerId))];
      const refused = publications.flatMap((publication, at) =>
        results[at]?.nodes === -1 ? [{ change: publication.sent, publication, at }] : [],
      );
      if (refused.length === 0) return results;
      const again = await rebase(refused);
      const published = await tryPublish(
        again.map(({ publication, change: sent }) => {
          return { ...publication, sent, after: afterChange(sent) };
        }),
        workerId,
      );
      again.forEach(({ at }, index) => {
        results[at] = published[index] ?? NOT_PUBLISHED;
      });
      return results;
    },

    async leaseDue(shard, leaseMs, limit) {
      const reply = leaseReply.parse(await leaseScript(shard, [leaseMs, limit, pendingSeconds]));
      return reply.flatMap((leased): DueNote[] => {
        if (leased.length === 1) {
          formats.onNewer("note");
          return [];
        }
        const [id, userId, stage, lane, attempt] = leased;
        return [{ id, userId, stage, lane, attempt }];
      });
    },

    depth: () =>
      sumOverShards(
        redis,
        keyspace,
        (key) => ["zcount", key, "-inf", clock.now() + SOON_MS],
        "due",
      ),
    overdue: () =>
      sumOverShards(redis, keyspace, (key) => ["zcount", key, "-inf", clock.now()], "due"),
    outcomeBacklog: async () =>
      options.outcomes ? await sumOverShards(redis, keyspace, (key) => ["xlen", key], "told") : 0,
    sequenced: () => sumOverShards(redis, keyspace, (key) => ["get", key], "count"),
  };
}
