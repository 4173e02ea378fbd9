/** What the ledger's scripts put down for other services, read and made into events. */
import { z } from "zod";
import { OUTCOME_EVENT_TYPE, OUTCOME_KINDS, type OutcomeEvent } from "../contract/outcome-event.ts";
import type { Channel } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { parseFacts, parseState } from "./note-record.ts";
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
  facts: z.string(),
  state: z.string(),
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
  const facts = parseFacts(entry.facts);
  const state = parseState(entry.state);
  const outcomeId = `${shard}-${entryId}`;
  const correlationId = facts.correlation ?? entry.id;
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
      ...(facts.event === undefined ? {} : { event_id: facts.event }),
      correlation_id: correlationId,
      user_id: facts.user,
      template_id: facts.template,
      notification_type: facts.type,
      caller: facts.caller,
      status: state.status,
      channels: {
        websocket: channelOutcome(state.websocket),
        push: channelOutcome(state.push),
        sms: channelOutcome(state.sms),
      },
      ...(state.replay_id === "-" ? {} : { replay_id: state.replay_id }),
      accepted_at: iso(facts.accepted_at),
      at: iso(entry.at),
    },
  };
}
