/** A browser tab that stays open: whenever the server is gone, it comes back where it left off. */
import { expect } from "vitest";
import { connect, type ReceivedFrame, type TestClient } from "../support/websocket-client.ts";

export interface Tab {
  readonly userId: string;
  /** Opens the socket, from the second time on with the last replay id it has seen. */
  connect(webSocketUrl: string): Promise<void>;
  /** Resolves when this notification has been shown. */
  shown(notificationId: string): Promise<void>;
  /** In order of their first showing. */
  notificationIds(): string[];
  /** Replay ids came in order without a hole; each notification has one, however often it came. */
  expectInOrder(): void;
  close(): Promise<void>;
}

export interface TabOptions {
  readonly userId: string;
  readonly token: string;
  /** `acknowledges`: says so for each message. `mute`: promises to, and never does. */
  readonly acks?: "acknowledges" | "mute";
}

interface Showing {
  readonly connection: number;
  readonly replayId: number;
  readonly epoch: unknown;
  readonly notificationId: string;
}

export function createTab({ userId, token, acks }: TabOptions): Tab {
  const showings: Showing[] = [];
  const waiting = new Map<string, () => void>();
  let client: TestClient | undefined;
  let connection = 0;
  let position: { replayId: string; epoch: unknown } | undefined;

  function acknowledge(): void {
    if (acks !== "acknowledges" || position === undefined) return;
    client?.send({ type: "ack", replay_id: position.replayId });
  }

  function show(frame: ReceivedFrame): void {
    const replayId = String(frame["replay_id"]);
    const notificationId = String(frame["notification_id"]);
    position = { replayId, epoch: frame["epoch"] };
    showings.push({
      connection,
      replayId: Number(replayId),
      epoch: frame["epoch"],
      notificationId,
    });
    acknowledge();
    waiting.get(notificationId)?.();
  }

  async function listen(from: TestClient): Promise<void> {
    for (;;) show(await from.nextNotification());
  }

  return {
    userId,

    async connect(webSocketUrl) {
      const known = position?.epoch;
      client = await connect(webSocketUrl, {
        token,
        ack: acks !== undefined,
        ...(position === undefined ? {} : { replayFrom: position.replayId }),
        ...(typeof known === "string" ? { epoch: known } : {}),
      });
      connection += 1;
      const greeting = await client.next("connected");
      if (position === undefined) {
        position = { replayId: String(greeting["replay_id"]), epoch: greeting["epoch"] };
      } else {
        acknowledge();
      }
      // Ends with the socket, which is what these tests are about.
      listen(client).catch(() => {});
    },

    async shown(notificationId) {
      if (showings.some((showing) => showing.notificationId === notificationId)) return;
      await new Promise<void>((resolve) => {
        waiting.set(notificationId, resolve);
      });
    },

    notificationIds: () => [...new Set(showings.map(({ notificationId }) => notificationId))],

    expectInOrder() {
      const places = new Map<string, number>();
      for (const { replayId, notificationId } of showings) {
        expect(places.get(notificationId) ?? replayId, notificationId).toBe(replayId);
        places.set(notificationId, replayId);
      }
      expect(new Set(showings.map(({ epoch }) => epoch)).size).toBe(1);
      expect([...places.values()]).toEqual([...places.keys()].map((_, index) => index + 1));
      for (let each = 1; each <= connection; each += 1) {
        const ids = showings.filter((one) => one.connection === each).map((one) => one.replayId);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      }
    },

    close: async () => await client?.close(),
  };
}
