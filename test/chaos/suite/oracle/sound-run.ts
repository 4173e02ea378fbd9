/** The evidence of a small run in which every promise was kept; tests break one thing in it. */
import type { Evidence, StatedNote, TabEvent } from "../evidence.ts";

export const START = Date.parse("2026-11-21T10:00:00.000Z");
const at = (afterMs: number): string => new Date(START + afterMs).toISOString();

type Step = StatedNote["timeline"][number];
type ChannelName = "websocket" | "push" | "sms";

const step = (
  afterMs: number,
  channel: ChannelName | undefined,
  from: string,
  to: string,
  reason?: string,
): Step => ({
  at: at(afterMs),
  ...(channel === undefined ? {} : { channel }),
  from,
  to,
  ...(reason === undefined ? {} : { reason }),
});

const SKIPPED = { reason: "not_needed", at: at(50) } as const;

function note(id: string, userId: string, parts: Partial<StatedNote>): StatedNote {
  return {
    notification_id: id,
    status: "delivered",
    channels: { websocket: "delivered", push: "skipped", sms: "skipped" },
    channel_details: { websocket: { at: at(50) }, push: SKIPPED, sms: SKIPPED },
    timestamp: at(0),
    websocket_connections: 1,
    replay_id: "1",
    estimated_delivery: at(50),
    user_id: userId,
    template_id: "announcement",
    timeline: [
      step(0, undefined, "-", "queued"),
      step(20, "websocket", "pending", "sent"),
      step(50, "websocket", "sent", "delivered"),
      step(50, undefined, "queued", "delivered"),
    ],
    eventId: undefined,
    notificationType: "announcement",
    epoch: "e1",
    sendAt: undefined,
    ...parts,
  };
}

const OFFLINE = { reason: "offline", at: at(20) } as const;
const offline = step(20, "websocket", "pending", "skipped", "offline");

const NOTES: readonly StatedNote[] = [
  note("n1", "ann", {
    channel_details: {
      websocket: { at: at(50), confirmed_at: at(50) },
      push: SKIPPED,
      sms: SKIPPED,
    },
  }),
  note("n2", "ann", { replay_id: "2", eventId: "k-2" }),
  note("n3", "ben", {
    channels: { websocket: "skipped", push: "delivered", sms: "skipped" },
    channel_details: {
      websocket: OFFLINE,
      push: { at: at(120), confirmed_at: at(300) },
      sms: SKIPPED,
    },
    timeline: [
      step(0, undefined, "-", "queued"),
      offline,
      step(30, "push", "pending", "sending"),
      step(120, "push", "sending", "delivered"),
      step(120, undefined, "queued", "delivered"),
      step(300, "push", "delivered", "confirmed"),
    ],
  }),
  note("n4", "cem", {
    channels: { websocket: "skipped", push: "skipped", sms: "delivered" },
    channel_details: {
      websocket: OFFLINE,
      push: { reason: "no_subscription", at: at(30) },
      sms: { at: at(200) },
    },
    timeline: [
      step(0, undefined, "-", "queued"),
      offline,
      step(30, "push", "pending", "skipped", "no_subscription"),
      step(40, "sms", "pending", "sending"),
      step(200, "sms", "sending", "delivered"),
      step(200, undefined, "queued", "delivered"),
    ],
  }),
  note("n5", "cem", {
    status: "failed",
    replay_id: "2",
    channels: { websocket: "skipped", push: "skipped", sms: "failed" },
    channel_details: {
      websocket: OFFLINE,
      push: { reason: "no_subscription", at: at(30) },
      sms: { reason: "unknown", at: at(1_040) },
    },
    timeline: [
      step(0, undefined, "-", "queued"),
      offline,
      step(30, "push", "pending", "skipped", "no_subscription"),
      step(40, "sms", "pending", "sending"),
      step(1_040, "sms", "sending", "unknown", "unknown"),
      step(1_040, undefined, "queued", "failed"),
    ],
  }),
  note("n6", "ann", {
    status: "cancelled",
    channels: { websocket: "skipped", push: "skipped", sms: "skipped" },
    replay_id: null,
    epoch: undefined,
    timeline: [step(0, undefined, "-", "scheduled"), step(10, undefined, "scheduled", "cancelled")],
  }),
  // Nobody was there when it came; a page that was opened later received it after all.
  note("n7", "ann", {
    replay_id: "3",
    timeline: [
      step(0, undefined, "-", "queued"),
      offline,
      step(30, "push", "pending", "skipped", "no_subscription"),
      step(30, undefined, "queued", "stored"),
      step(900, "websocket", "skipped", "delivered"),
    ],
  }),
];

const asked = (key: string, id: string, userId: string): Evidence["asked"][number] => ({
  key,
  by: "rest",
  userId,
  phoneNumber: undefined,
  critical: false,
  askedAt: START,
  acceptedAt: START + 10,
  ids: [id],
  scheduled: false,
  cancelled: false,
});

/** Handed to a browser of ben's. */
export const push = (endpoint: string, status: number): Evidence["pushes"][number] => ({
  at: START + 90,
  endpoint,
  notificationId: "n3",
  key: "k-3",
  status,
  receipted: false,
});

export const open = (
  epoch: string,
  replayId: number,
  from?: { readonly replayId: number; readonly epoch: string | undefined },
): TabEvent => ({ kind: "open", at: START, epoch, replayId, visit: 0, from });
export const gap = (reason: string, epoch: string, oldest: number | undefined): TabEvent => ({
  kind: "gap",
  at: START,
  reason,
  epoch,
  oldest,
});
export const frame = (
  replayId: number,
  notificationId: string,
  key: string,
  epoch = "e1",
): TabEvent => ({ kind: "frame", at: START + 50, notificationId, key, replayId, epoch });
export const shown = (notificationId: string): TabEvent => ({
  kind: "shown",
  at: START + 50,
  notificationId,
});

const NONE = { sent: 0, delivered: 0, confirmed: 0, failed: 0, success_rate: 0 };

export const SOUND_RUN: Evidence = {
  asked: [
    asked("k-1", "n1", "ann"),
    { ...asked("k-2", "n2", "ann"), by: "kafka", ids: [] },
    asked("k-3", "n3", "ben"),
    { ...asked("k-4", "n4", "cem"), critical: true, phoneNumber: "+46701" },
    { ...asked("k-5", "n5", "cem"), critical: true, phoneNumber: "+46702" },
    { ...asked("k-6", "n6", "ann"), cancelled: true },
    asked("k-7", "n7", "ann"),
  ],
  tabs: [
    {
      userId: "ann",
      name: "ann/1",
      connectedAtEnd: true,
      events: [
        open("", 0, { replayId: 0, epoch: undefined }),
        frame(1, "n1", "k-1"),
        shown("n1"),
        { kind: "acked", at: START + 70, replayId: 1, epoch: "e1" },
        frame(2, "n2", "k-2"),
        shown("n2"),
        { kind: "closed", at: START + 100, code: 1006 },
        open("e1", 3, { replayId: 2, epoch: "e1" }),
        frame(3, "n7", "k-7"),
        shown("n7"),
      ],
    },
  ],
  pushes: [{ ...push("p1", 201), receipted: true }, push("p2", 500)],
  texts: [{ at: START + 100, to: "+46701", key: "k-4", answered: true }],
  browsers: new Map([
    ["p1", "ben"],
    ["p2", "ben"],
  ]),
  statement: {
    notes: NOTES,
    analytics: {
      start_date: "2026-11-21",
      end_date: "2026-11-21",
      total_notifications: 7,
      delivery_stats: {
        websocket: { ...NONE, sent: 6, delivered: 3, confirmed: 1, offline: 3, success_rate: 0.5 },
        push: { ...NONE, sent: 1, delivered: 1, confirmed: 1, success_rate: 1 },
        sms: { ...NONE, sent: 2, delivered: 1, failed: 1, success_rate: 0.5 },
      },
      notification_types: { announcement: 7 },
      statuses: {
        scheduled: 0,
        queued: 0,
        delivered: 5,
        stored: 0,
        failed: 1,
        expired: 0,
        cancelled: 1,
        suppressed: 0,
      },
      late: 1,
      // 50, 50, 120 and 200 ms.
      response_times: { average_ms: 105, p95_ms: 200, p99_ms: 200 },
      connection_stats: { total_connections: 1, active_users: 1 },
    },
    audit: [
      ...NOTES.flatMap(({ notification_id: notificationId }) => [
        { event: "accepted", notificationId },
        { event: "settled", notificationId },
      ]),
      { event: "late", notificationId: "n7" },
      { event: "skipped", notificationId: undefined },
    ],
    outcomes: [
      { notificationId: "n7", outcome: "settled", status: "stored" },
      ...NOTES.map(({ notification_id: notificationId, status }) => ({
        notificationId,
        outcome: notificationId === "n7" ? "late" : "settled",
        status,
      })),
    ],
    unsettled: 0,
    positions: new Map([["ann", { epoch: "e1", replayId: 3 }]]),
  },
  survivedUntil: undefined,
};
