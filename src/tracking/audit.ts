/** The audit trail: who sent what to whom, and what came of it. Never the payload. */
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Redis } from "../platform/redis.ts";

/** As in lua/audit.lua, which also counts lines: of that, an entry may hold several. */
const MAX_ENTRIES_PER_SHARD = 100_000;

/** An entry as the API shows it; in Redis all its values are text. */
export const auditEntrySchema = z.object({
  at: z.string().describe("RFC 3339"),
  action: z
    .string()
    .describe(
      "accepted, settled, late, skipped, dead_lettered, redriven, rejected, security_alert, " +
        "sms_opted_out, sms_opted_in ...",
    ),
  result: z.string().optional(),
  notification_id: z.string().optional(),
  caller: z.string().optional(),
  user_id: z.string().optional(),
  template_id: z.string().optional(),
  channels: z.string().optional(),
  code: z.string().optional(),
  path: z.string().optional(),
  address: z
    .string()
    .optional()
    .describe("where a refused request without a valid token came from"),
  number: z
    .string()
    .optional()
    .describe("keyed hash of a phone number: the same for the same number, and no way back"),
  count: z
    .int()
    .optional()
    .describe("how many equal refusals of one minute the entry stands for; `at` is the last one's"),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export interface Audit {
  /** Adds an entry that is about no single notification. */
  add(entry: Omit<AuditEntry, "at">): Promise<void>;
}

/** The stream of a shard's real events; the ledger's scripts write most of it. */
export function auditKey(keyspace: Pick<Keyspace, "sharded">, shard: number): string {
  return keyspace.sharded(shard, "audit");
}

/** An entry as the fields of a stream, without what is not known. */
export function auditFields(entry: Omit<AuditEntry, "at">, atMs: number): (string | number)[] {
  const fields: (string | number)[] = ["at", atMs];
  for (const [name, value] of Object.entries(entry)) {
    if (value !== undefined) fields.push(name, value);
  }
  return fields;
}

/** What a line of the trail says of its note. */
interface AuditedNote {
  readonly id: string;
  readonly callerId: string;
  readonly userId: string;
  readonly templateId: string;
}

const NONE = "-";

/**
 * An entry about a note as one line, as each field of a stream costs Redis as much as the text in it:
 * `at action result notification_id caller user_id template_id channels`. None but the last holds a
 * space, and none the end of a line: lua/audit.lua joins the lines of a call.
 */
export function formatAuditLine(
  atMs: number,
  action: string,
  result: string | null,
  note: AuditedNote,
  channels: string,
): string {
  const about = `${note.id} ${note.callerId} ${note.userId} ${note.templateId}`;
  return `${atMs} ${action} ${result ?? NONE} ${about} ${channels === "" ? NONE : channels}`;
}

const LINE_FIELDS = [
  "at",
  "action",
  "result",
  "notification_id",
  "caller",
  "user_id",
  "template_id",
] as const;

/** The fields of an entry as text, those that are known; `at` in epoch ms. */
export type AuditFields = Readonly<Record<string, string>>;

/**
 * What one entry of a stream holds, oldest first: lines about notes, of which there may be just one,
 * or the fields of an entry each by itself.
 */
export function readStreamEntry(fields: AuditFields): AuditFields[] {
  return fields["note"]?.split("\n").map(readAuditLine) ?? [fields];
}

function readAuditLine(line: string): AuditFields {
  const words = line.split(" ");
  const entries = LINE_FIELDS.map((name, index) => [name, words[index] ?? NONE] as const);
  const channels = words.slice(LINE_FIELDS.length).join(" ");
  return Object.fromEntries(
    [...entries, ["channels", channels] as const].filter(([, value]) => value !== NONE),
  );
}

export function createAudit(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Pick<Clock, "now">;
}): Audit {
  const { redis, keyspace, clock } = deps;
  return {
    async add(entry) {
      const key = auditKey(keyspace, keyspace.shardOfUser(entry.user_id ?? entry.caller ?? ""));
      const fields = auditFields(entry, clock.now());
      await redis.xadd(key, "MAXLEN", "~", MAX_ENTRIES_PER_SHARD, "*", ...fields);
    },
  };
}
