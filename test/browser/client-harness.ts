/** A client with a server, a clock and a page in the test's hands. */
import {
  createClient,
  type ClientOptions,
  type ConnectionState,
} from "../../src/browser/client/client.ts";
import type { NotificationFrame, ReplayGapFrame } from "../../src/contract/frames.ts";
import { createFakeEnvironment } from "./fake-environment.ts";

export const EPOCH = "e1";

export function hello(replayId: string, epoch = EPOCH) {
  return {
    type: "connected",
    connection_id: "c1",
    epoch,
    replay_id: replayId,
    heartbeat_interval_ms: 30_000,
    replay: "none",
  };
}

export function notification(replayId: string, epoch = EPOCH, id = `n-${replayId}`) {
  return {
    type: "announcement",
    event: "announcement",
    notification_id: id,
    replay_id: replayId,
    epoch,
    notification_type: "announcement",
    category: "system_alerts",
    priority: "standard",
    title: `Title ${replayId}`,
    body: "Body",
    dir: "ltr",
    locale: "en",
    data: {},
    action_required: false,
    deadline: null,
    timestamp: "2026-09-15T14:00:00Z",
    correlation_id: "k",
  };
}

export function gap(reason: ReplayGapFrame["reason"], oldest: string | null, epoch = EPOCH) {
  return { type: "replay_gap", reason, oldest_replay_id: oldest, epoch };
}

/** A connected client and what its page would have been told. */
export async function start(
  options: Partial<ClientOptions> = {},
  stored: Record<string, string> = {},
) {
  const fake = createFakeEnvironment(stored);
  const shown: string[] = [];
  const states: ConnectionState[] = [];
  const gaps: string[] = [];
  const renewals: boolean[] = [];
  const frames: NotificationFrame[] = [];
  const client = createClient({
    url: "ws://127.0.0.1:1/ws/notify",
    userId: "u1",
    pass: {
      kind: "ticket",
      get: (renew) => {
        renewals.push(renew);
        return Promise.resolve(renew ? "second" : "first");
      },
    },
    ack: true,
    startFrom: "last",
    environment: fake.environment,
    onNotification: (frame) => {
      frames.push(frame);
      shown.push(frame.notification_id);
    },
    onState: (state) => void states.push(state),
    onGap: (frame) => void gaps.push(frame.reason),
    ...options,
  });
  client.connect();
  await settle();
  return { ...fake, client, shown, states, gaps, renewals, frames };
}

/** Lets the promise of the token resolve. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

export const storedPosition = (replayId: string, epoch = EPOCH) => ({
  "schoolbell.position.u1": JSON.stringify({ epoch, replayId }),
});
