/** Notes as the stages meet them. */
import type { Channel, ChannelState } from "../../src/contract/vocabulary.ts";
import type { ChannelRecord, Note } from "../../src/tracking/note.ts";

export function record(state: ChannelState, at = 0): ChannelRecord {
  return { state, reason: null, at, confirmedAt: null };
}

export function note(
  changes: Partial<Note> = {},
  states: Partial<Record<Channel, ChannelState>> = {},
): Note {
  return {
    id: "00000000-0000-8000-8000-000000000000",
    facts: "",
    stateAt: 0,
    userId: "teacher-1",
    status: "queued",
    stage: "websocket",
    lane: "normal",
    attempt: 0,
    version: 0,
    fence: 0,
    acceptedAt: 0,
    day: "1970-01-01",
    priority: "high",
    templateId: "iep_meeting_reminder",
    notificationType: "iep_reminder",
    family: "iep",
    strategy: "fallback",
    callerId: "service",
    correlationId: "c",
    eventId: null,
    channels: {
      websocket: record(states.websocket ?? "pending"),
      push: record(states.push ?? "pending"),
      sms: record(states.sms ?? "pending"),
    },
    timeline: "",
    replayId: null,
    epoch: null,
    sockets: 0,
    leasedUntil: 0,
    stageStartedAt: 0,
    expiresAt: null,
    sendAt: null,
    waited: false,
    replyTo: null,
    pushOutcomes: {},
    request: { data: {}, correlation_id: "c" },
    ...changes,
  };
}
