/** Redis takes a frame into the history, and the worker never hears where. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createWebsocketStage } from "../../src/delivery/websocket-stage.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createHistory } from "../../src/tracking/history.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { createTestDesk } from "./test-desk.ts";

const ANSWER_MS = 1_500;

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger();
});

afterAll(async () => {
  await book.store.close();
});

/** A stage whose frames are published, and whose calls fail all the same. */
function openStage() {
  const { clock, ledger } = book;
  const logger = createSilentLogger();
  const desk = createTestDesk({ clock, ledger });
  return createWebsocketStage({
    desk,
    ledger: {
      async publish(publications, workerId) {
        await ledger.publish(publications, workerId);
        throw new Error("Command timed out");
      },
    },
    messages: { frame: () => "{}" },
    receipts: { record: () => {} },
    workerId: "worker",
    clock,
    answerMs: ANSWER_MS,
    ackMs: 5_000,
    logger,
  });
}

describe("a frame whose place the worker was not told", () => {
  it.each(["offline", "delivered"])("keeps it when it ends as %s", async (fate) => {
    const user = `lost-reply-${fate}`;
    const stage = openStage();
    const { id } = await book.create({ userId: user });
    await expect(stage.process([{ id, attempt: 0 }])).rejects.toThrow("timed out");
    if (fate === "delivered") {
      const { fence } = await book.read(id);
      stage.answers.record([{ noteId: id, fence, result: "written", sockets: 1 }]);
    }
    book.clock.advance(ANSWER_MS + 100);
    await vi.waitFor(async () =>
      expect((await book.read(id)).channels.websocket.state).not.toBe("sent"),
    );
    const note = await book.read(id);
    expect(note).toMatchObject({ replayId: "1", epoch: expect.any(String) });
    const history = createHistory({ ...book.store, clock: book.clock, size: 100 });
    const replay = { kind: "pending" } as const;
    const { entries } = await history.join({ userId: user, nodeId: "node", sockets: 1, replay });
    expect(entries.map(({ replayId }) => replayId)).toEqual(fate === "offline" ? [1] : []);
    await stage.close();
  });
});
