/** What the ledger's scripts put down for other services, read and made into events. */
import { z } from "zod";
import { OUTCOME_EVENT_TYPE, OUTCOME_KINDS, type OutcomeEvent } from "../contract/outcome-event.ts";
import { STATUSES, type Channel } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { parseChannelRecord } from "./note.ts";
import { channelStatus } from "./status-machine.ts";
import { recordOf } from "./stream-fields.ts";
import { viewChannel } from "./view.ts";

/** A stream per shard: what is in it has not been sent yet. */
export function outcomesKey(keyspace: Pick<Keyspace, "sharded">, shard: number): string {
  return keyspace.sharded(shard, "outcomes");
}

const epochMs = z.coerce.number().int();

const entrySchema = z.object({
  outcome: z.enum(OUTCOME_KINDS),
  id: z.string(),
  at: epochMs,
  user: z.string(),
  template: z.string(),
  type: z.string(),
  caller: z.string(),
  correlation: z.string().optional(),
  event: z.string().optional(),
  accepted_at: epochMs,
  replay_id: z.string().optional(),
  status: z.enum(STATUSES),
  websocket: z.string(),
  push: z.string(),
  sms: z.string(),
});

const iso = (ms: number): string => new Date(ms).toISOString();

function channelOutcome(record: string): OutcomeEvent["data"]["channels"][Channel] {
  const parsed = parseChannelRecord(record);
  return { status: channelStatus(parsed), ...viewChannel(parsed) };
}

/**
 * The event of one entry. Its id is made of the shard and the entry's own id, so that it is the same
 * whenever and by whomever it is read.
 * @throws ZodError or Error if the entry is not one that the ledger wrote.
 */
export function outcomeEventOf(
  shard: number,
  entryId: string,
  fields: readonly string[],
): OutcomeEvent {
  const entry = entrySchema.parse(recordOf(fields));
  const outcomeId = `${shard}-${entryId}`;
  const correlationId = entry.correlation ?? entry.id;
  return {
    event_id: outcomeId,
    event_type: OUTCOME_EVENT_TYPE,
    event_timestamp: iso(entry.at),
    source_service: "schoolbell",
    correlation_id: correlationId,
    data: {
      outcome_id: outcomeId,
      outcome: entry.outcome,
      notification_id: entry.id,
      ...(entry.event === undefined ? {} : { event_id: entry.event }),
      correlation_id: correlationId,
      user_id: entry.user,
      template_id: entry.template,
      notification_type: entry.type,
      caller: entry.caller,
      status: entry.status,
      channels: {
        websocket: channelOutcome(entry.websocket),
        push: channelOutcome(entry.push),
        sms: channelOutcome(entry.sms),
      },
      ...(entry.replay_id === undefined ? {} : { replay_id: entry.replay_id }),
      accepted_at: iso(entry.accepted_at),
      at: iso(entry.at),
    },
  };
}
