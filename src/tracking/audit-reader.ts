/**
 * Reads the audit trail backwards over all its streams, in small pages and never without end. An
 * entry of a stream may hold several of the trail, whatever is counted here: its lines.
 */
import { z } from "zod";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import {
  auditEntrySchema,
  auditKey,
  readStreamEntry,
  type AuditEntry,
  type AuditFields,
} from "./audit.ts";
import { comparePositions, positionOf, upperBoundAfter, type Position } from "./audit-position.ts";
import { REFUSAL_ACTIONS, refusalsKey } from "./refusals.ts";
import { recordOf } from "./stream-fields.ts";

/** Entries looked at for one answer: about a quarter of a second of this process' time. */
const SCAN_BUDGET = 10_000;
/** Most questions are answered by the newest few of each stream, so this many of it come first. */
const FIRST_PAGE = 16;
const MAX_PAGE = 500;
/** Pages grow by steps: those further back may hold more lines to an entry than the ones before. */
const PAGE_GROWTH = 4;
/** Read ahead over all streams together, so that many shards do not mean much memory. */
const MAX_READ_AHEAD = 8_000;
/**
 * Ids carry Redis' time, `at` the writer's, which is earlier by the time to write and may be off by
 * the difference of clocks. Refusals are counted for up to a minute before they are written.
 */
const CLOCK_MARGIN_MS = 60_000;
const REFUSAL_MARGIN_MS = 2 * CLOCK_MARGIN_MS;

export interface AuditQuery {
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly userId?: string | undefined;
  readonly notificationId?: string | undefined;
  readonly action?: string | undefined;
  /** Go on after this place. */
  readonly after?: Position | undefined;
  readonly limit: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: AuditEntry[];
  /** Where to go on: the limit was reached, or enough was looked at for one answer. */
  readonly next: Position | undefined;
}

export interface AuditReader {
  read(query: AuditQuery): Promise<AuditPage>;
}

interface Stream {
  /** The same for every query, because cursors carry it. */
  readonly number: number;
  readonly key: string;
  readonly marginMs: number;
}

interface Candidate {
  readonly position: Position;
  readonly fields: AuditFields;
}

/** One stream as far as it has been read. */
interface Front {
  readonly stream: Stream;
  readonly lowest: string;
  highest: string;
  /** Read and not looked at yet; the next one is the last. */
  waiting: Candidate[];
  /** How many of the stream's entries to read next. */
  page: number;
  ended: boolean;
}

const pageReply = z.array(z.tuple([z.string(), z.array(z.string())]));
const storedEntry = auditEntrySchema.extend({ count: z.coerce.number().int().optional() });

/** A notification's id names its shard, a user has one, and refusals are about neither. */
function streamsOf(query: AuditQuery, keyspace: Keyspace): Stream[] {
  const { userId, notificationId, action } = query;
  const event = (shard: number): Stream => ({
    number: shard,
    key: auditKey(keyspace, shard),
    marginMs: CLOCK_MARGIN_MS,
  });
  if (notificationId !== undefined) {
    const shard = keyspace.shardOfNote(notificationId);
    return shard === undefined ? [] : [event(shard)];
  }
  if (userId !== undefined) return [event(keyspace.shardOfUser(userId))];
  const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);
  const refusals = shards.map((shard) => ({
    number: keyspace.shards + shard,
    key: refusalsKey(keyspace, shard),
    marginMs: REFUSAL_MARGIN_MS,
  }));
  if (action === undefined) return [...shards.map(event), ...refusals];
  return REFUSAL_ACTIONS.has(action) ? refusals : shards.map(event);
}

function openFront(stream: Stream, { from, to, after }: AuditQuery): Front {
  const latest = to === undefined ? undefined : Math.max(0, to + stream.marginMs);
  const resumes = after !== undefined && (latest === undefined || after.ms <= latest);
  return {
    stream,
    lowest: from === undefined ? "-" : String(Math.max(0, from - stream.marginMs)),
    highest: resumes ? upperBoundAfter(after, stream.number) : String(latest ?? "+"),
    waiting: [],
    page: FIRST_PAGE,
    ended: false,
  };
}

/** The lines of an entry, oldest first. */
function candidatesOf(id: string, fields: AuditFields, stream: Stream): Candidate[] {
  const place = positionOf(id, stream.number);
  return readStreamEntry(fields).map((entry, line) => ({
    position: { ...place, line },
    fields: entry,
  }));
}

function matches({ fields }: Candidate, query: AuditQuery): boolean {
  const at = Number(fields["at"]);
  return (
    (query.from === undefined || at >= query.from) &&
    (query.to === undefined || at <= query.to) &&
    (query.userId === undefined || fields["user_id"] === query.userId) &&
    (query.notificationId === undefined || fields["notification_id"] === query.notificationId) &&
    (query.action === undefined || fields["action"] === query.action)
  );
}

function entryOf({ fields }: Candidate): AuditEntry {
  return storedEntry.parse({ ...fields, at: new Date(Number(fields["at"])).toISOString() });
}

/** The next candidate of all streams, newest first; `undefined` at the end. */
function takeNewest(fronts: readonly Front[]): Candidate | undefined {
  let newest: { front: Front; candidate: Candidate } | undefined;
  for (const front of fronts) {
    const candidate = front.waiting.at(-1);
    if (candidate === undefined) continue;
    if (
      newest === undefined ||
      comparePositions(candidate.position, newest.candidate.position) < 0
    ) {
      newest = { front, candidate };
    }
  }
  newest?.front.waiting.pop();
  return newest?.candidate;
}

/** @param deps.redis a connection that nothing else waits for. */
export function createAuditReader(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}): AuditReader {
  const { redis, keyspace } = deps;

  /** Reads on where nothing is left to look at, about `lines` of each stream. */
  async function refill(
    fronts: readonly Front[],
    lines: number,
    after: Position | undefined,
  ): Promise<void> {
    const empty = fronts.filter((front) => front.waiting.length === 0 && !front.ended);
    if (empty.length === 0) return;
    const replies = await runForEach(redis, empty, ({ stream, highest, lowest, page }) => [
      "xrevrange",
      stream.key,
      highest,
      lowest,
      "COUNT",
      page,
    ]);
    empty.forEach((front, index) => {
      const found = pageReply.parse(replies[index]);
      const read = found
        .toReversed()
        .flatMap(([id, fields]) => candidatesOf(id, recordOf(fields), front.stream));
      // Of the entry in which the page before ended, the newer lines were looked at already.
      front.waiting = read.filter(
        ({ position }) => after === undefined || comparePositions(after, position) < 0,
      );
      front.highest = `(${found.at(-1)?.[0] ?? "0-0"}`;
      front.ended = found.length < front.page;
      const wanted = Math.floor((lines * found.length) / Math.max(1, read.length));
      front.page = Math.max(1, Math.min(wanted, front.page * PAGE_GROWTH));
    });
  }

  return {
    async read(query) {
      const fronts = streamsOf(query, keyspace).map((stream) => openFront(stream, query));
      const share = Math.floor(MAX_READ_AHEAD / Math.max(1, fronts.length));
      const page = Math.min(MAX_PAGE, Math.max(FIRST_PAGE, share));
      const found: AuditEntry[] = [];
      let last = query.after;
      for (let scanned = 0; scanned < SCAN_BUDGET && found.length < query.limit; scanned += 1) {
        await refill(fronts, page, query.after);
        const candidate = takeNewest(fronts);
        if (candidate === undefined) break;
        last = candidate.position;
        if (matches(candidate, query)) found.push(entryOf(candidate));
      }
      const more = fronts.some((front) => front.waiting.length > 0 || !front.ended);
      // The streams are in the order of writing, in which two clocks may be a little out of step.
      const entries = found.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
      return { entries, next: more ? last : undefined };
    },
  };
}
