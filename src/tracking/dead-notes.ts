/** The ledger's dead letters: notifications that failed and are kept, to be looked at and sent again. */
import { z } from "zod";
import type { Channel, Reason } from "../contract/vocabulary.ts";
import { runForEach, type Words } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";
import { formatAuditLine } from "./audit.ts";
import { compareDead, type DeadPosition } from "./dead-position.ts";
import { viewDeadNote, viewDeadNoteDetail } from "./dead-note-view.ts";
import type { DeadNoteDetail, DeadNoteView } from "./dead-note-view.ts";
import { OWN_FORMATS } from "./ledger-format.ts";
import { loadLedgerScript, type LedgerScriptDeps } from "./ledger-script.ts";
import { wireChange } from "./ledger-wire.ts";
import { createNoteReader, shardOf } from "./note-reader.ts";
import type { Note } from "./note.ts";
import { planRedrive, redriven, type RedriveOrder } from "./redrive.ts";

/** Read from each shard at a time: a list is mostly about the newest few. */
const PAGE = 50;
/** Notes looked at for one answer, about 50 ms of this process' time. */
const SCAN_BUDGET = 2_000;
/** Somebody else may change the note between reading and writing, but not for ever. */
const REDRIVE_TRIES = 3;

export interface DeadNoteQuery {
  readonly limit: number;
  /** Go on after this place. */
  readonly after?: DeadPosition | undefined;
  /** Only those with a channel that failed for this reason. */
  readonly reason?: Reason | undefined;
  readonly templateId?: string | undefined;
}

export interface DeadNotePage {
  /** Newest first. */
  readonly entries: readonly DeadNoteView[];
  /** Where to go on: the limit was reached, or enough was looked at for one answer. */
  readonly next: DeadPosition | undefined;
}

export type RedriveResult =
  /** It is queued, and due now; the note as it is. */
  | { readonly kind: "redriven"; readonly note: Note; readonly channels: readonly Channel[] }
  /** A sentence that says why not. */
  | { readonly kind: "refused"; readonly detail: string }
  /** There is no notification of this id. */
  | { readonly kind: "absent" };

/** All methods reject while Redis is away. */
export interface DeadNotes {
  list(query: DeadNoteQuery): Promise<DeadNotePage>;
  /** Undefined if there is no such note, or it has not failed. */
  show(id: string): Promise<DeadNoteDetail | undefined>;
  /** Sends a failed note again, by the channels that failed. Doing so twice sends it once. */
  redrive(id: string, order: RedriveOrder): Promise<RedriveResult>;
}

const pageReply = z.array(z.string());
const count = z.number().int();

function positionsOf(reply: readonly string[]): DeadPosition[] {
  const positions: DeadPosition[] = [];
  for (let index = 0; index + 1 < reply.length; index += 2) {
    positions.push({ id: reply[index] ?? "", at: Number(reply[index + 1]) });
  }
  return positions;
}

function matches(note: Note, { reason, templateId }: DeadNoteQuery): boolean {
  if (templateId !== undefined && note.templateId !== templateId) return false;
  if (reason === undefined) return true;
  return Object.values(note.channels).some(
    (record) =>
      record.reason === reason && (record.state === "failed" || record.state === "unknown"),
  );
}

export function createDeadNotes(deps: LedgerScriptDeps & { readonly sealing: Sealing }): DeadNotes {
  const { redis, keyspace, clock, formats = OWN_FORMATS } = deps;
  const readNotes = createNoteReader(deps);
  const redriveScript = loadLedgerScript(deps, "redrive");
  const keys = Array.from({ length: keyspace.shards }, (_, shard) =>
    keyspace.sharded(shard, "dead"),
  );

  async function onEachShard(command: (key: string, shard: number) => Words): Promise<unknown[]> {
    return await runForEach(redis, [...keys.entries()], ([shard, key]) => command(key, shard));
  }

  /** The next ones in the order of all shards; `ended` if there are no more behind them. */
  async function candidatesAfter(
    after: DeadPosition | undefined,
  ): Promise<{ found: DeadPosition[]; ended: boolean }> {
    // A shard is asked by score alone, so what failed in the same millisecond is read again.
    const ties =
      after === undefined
        ? []
        : (await onEachShard((key) => ["zcount", key, after.at, after.at])).map((reply) =>
            count.parse(reply),
          );
    const sizes = keys.map((_, shard) => PAGE + (ties[shard] ?? 0));
    const highest = after === undefined ? "+inf" : after.at;
    const replies = await onEachShard((key, shard) => {
      const size = sizes[shard] ?? 0;
      return ["zrevrangebyscore", key, highest, "-inf", "WITHSCORES", "LIMIT", 0, size];
    });
    const pages = replies.map((reply) => positionsOf(pageReply.parse(reply)));
    // Beyond the end of a full page its shard may hold more: there the common order is not known yet.
    const ends = pages.flatMap((page, shard) =>
      page.length === sizes[shard] ? page.slice(-1) : [],
    );
    const [horizon] = ends.toSorted(compareDead);
    const found = pages
      .flat()
      .filter((one) => after === undefined || compareDead(one, after) > 0)
      .filter((one) => horizon === undefined || compareDead(one, horizon) <= 0)
      .toSorted(compareDead);
    return { found, ended: horizon === undefined };
  }

  async function read(id: string): Promise<Note | undefined> {
    if (keyspace.shardOfNote(id) === undefined) return undefined;
    return (await readNotes([id])).get(id);
  }

  return {
    async list(query) {
      const entries: DeadNoteView[] = [];
      let last = query.after;
      for (let scanned = 0; scanned < SCAN_BUDGET;) {
        const { found, ended } = await candidatesAfter(last);
        for (let from = 0; from < found.length; from += PAGE) {
          // Places are cheap to read, notes are not: only as many as may be wanted.
          const wanted = found.slice(from, from + PAGE);
          const notes = await readNotes(wanted.map(({ id }) => id));
          for (const candidate of wanted) {
            if (entries.length >= query.limit) return { entries, next: last };
            last = candidate;
            scanned += 1;
            const note = notes.get(candidate.id);
            if (note?.status === "failed" && matches(note, query)) entries.push(viewDeadNote(note));
          }
        }
        if (ended) return { entries, next: undefined };
      }
      return { entries, next: last };
    },

    async show(id) {
      const note = await read(id);
      return note?.status === "failed" ? viewDeadNoteDetail(note, clock.now()) : undefined;
    },

    async redrive(id, { by, channels: asked }) {
      for (let tries = 0; tries < REDRIVE_TRIES; tries += 1) {
        const note = await read(id);
        if (note === undefined) return { kind: "absent" };
        const now = clock.now();
        const plan = planRedrive(note, asked, now);
        if (plan.kind === "refused") return plan;
        const { channels } = plan;
        const who = { ...note, callerId: by.replaceAll(/\s+/g, "_") };
        const line = formatAuditLine(now, "redriven", "queued", who, channels.join(" "));
        // Nothing it met or missed changes by this.
        const wire = wireChange(redriven(note, channels, by, now), {
          now,
          pendingSeconds: 0,
          mark: formats.mark(),
        });
        if ((await redriveScript(shardOf(keyspace, id), [...wire, line])) === 1) {
          return { kind: "redriven", note: (await read(id)) ?? note, channels };
        }
      }
      return { kind: "refused", detail: "It is being changed by others just now." };
    },
  };
}
