/** What the gateways' answers, in any order, say about a frame. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerResult } from "../../src/contract/node-message.ts";
import { createAnswerBook, type FrameFate } from "../../src/delivery/answer-book.ts";
import { createManualClock } from "../support/manual-clock.ts";
import type { Note } from "../../src/tracking/note.ts";
import { note } from "./notes.ts";

const ANSWER_MS = 1_500;
const ACK_MS = 5_000;
const PLACE = { replayId: "7", epoch: "e1" };
const NOWHERE = { replayId: "", epoch: "" };

function openBook(changes: Partial<Note> = {}) {
  const clock = createManualClock();
  const fates: FrameFate[] = [];
  const lateAcks: string[] = [];
  const book = createAnswerBook({
    clock,
    answerMs: ANSWER_MS,
    ackMs: ACK_MS,
    onLateAck: (noteId) => lateAcks.push(noteId),
    onFates: (list) => fates.push(...list.map(({ fate }) => fate)),
  });
  const sent = note({ fence: 1, ...changes });
  const answer = (result: AnswerResult, sockets = 1, fence = 1) =>
    book.record([{ noteId: sent.id, fence, result, sockets }]);
  const settled = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return fates;
  };
  return { book, clock, sent, answer, settled, lateAcks };
}

describe("a frame sent to gateways", () => {
  it("is delivered with all its sockets once every node has answered", async () => {
    const { book, sent, answer, settled } = openBook();
    book.expect(sent);
    book.sent(sent.id, 2, PLACE);
    answer("written", 2);
    expect(await settled()).toEqual([]);
    answer("written", 1);
    expect(await settled()).toMatchObject([{ kind: "delivered", sockets: 3 }]);
    expect(book.size).toBe(0);
  });

  it("is not missed when the answer overtakes the reply of Redis", async () => {
    const { book, sent, answer, settled } = openBook();
    book.expect(sent);
    answer("written", 1);
    expect(await settled()).toEqual([]);
    book.sent(sent.id, 1, PLACE);
    expect(await settled()).toMatchObject([{ kind: "delivered", sockets: 1 }]);
  });

  it("is offline when no socket took it, was too slow, or nobody answered", async () => {
    for (const result of ["no_socket", "slow"] as const) {
      const { book, sent, answer, settled } = openBook();
      book.expect(sent);
      book.sent(sent.id, 1, PLACE);
      answer(result, 0);
      expect(await settled()).toEqual([{ kind: "offline" }]);
    }
    const { book, clock, sent, settled } = openBook();
    book.expect(sent);
    book.sent(sent.id, 1, PLACE);
    clock.advance(ANSWER_MS - 100);
    expect(await settled()).toEqual([]);
    clock.advance(200);
    expect(await settled()).toEqual([{ kind: "offline" }]);
  });

  it("waits for a promised acknowledgement, and no longer than that", async () => {
    const acked = openBook();
    acked.book.expect(acked.sent);
    acked.book.sent(acked.sent.id, 1, PLACE);
    acked.answer("awaiting_ack");
    acked.clock.advance(ACK_MS - 200);
    acked.answer("acked", 0);
    expect(await acked.settled()).toMatchObject([{ kind: "delivered", sockets: 1 }]);

    const two = openBook();
    two.book.expect(two.sent);
    two.book.sent(two.sent.id, 2, PLACE);
    two.answer("awaiting_ack", 2);
    two.answer("acked", 0);
    expect(await two.settled()).toEqual([]);
    two.answer("awaiting_ack", 3);
    expect(await two.settled()).toMatchObject([{ kind: "delivered", sockets: 5 }]);

    const silent = openBook();
    silent.book.expect(silent.sent);
    silent.book.sent(silent.sent.id, 1, PLACE);
    silent.answer("awaiting_ack");
    silent.clock.advance(ACK_MS + 100);
    expect(await silent.settled()).toEqual([{ kind: "unconfirmed", sockets: 1 }]);
  });

  it("settles together with the ack of a client that acknowledges, as delivered when it was written", async () => {
    const { book, clock, sent, answer, settled, lateAcks } = openBook();
    book.expect(sent);
    book.sent(sent.id, 1, PLACE);
    const at = clock.now();
    answer("ack_expected");
    clock.advance(60);
    expect(await settled()).toEqual([]);
    answer("acked", 0);
    expect(await settled()).toEqual([{ kind: "delivered", sockets: 1, at, confirmedAt: at + 60 }]);
    expect(lateAcks).toEqual([]);
  });

  it("settles without an ack that does not come soon, and hands on one that comes later", async () => {
    const { book, clock, sent, answer, settled, lateAcks } = openBook();
    book.expect(sent);
    book.sent(sent.id, 1, PLACE);
    const at = clock.now();
    answer("ack_expected");
    clock.advance(400);
    expect(await settled()).toEqual([
      { kind: "delivered", sockets: 1, at, confirmedAt: undefined },
    ]);
    answer("acked", 0);
    expect(await settled()).toHaveLength(1);
    expect(lateAcks).toEqual([sent.id]);
  });

  it("settles at once where somebody waits for it", async () => {
    const { book, sent, answer, settled } = openBook({ waited: true });
    book.expect(sent);
    book.sent(sent.id, 1, PLACE);
    answer("ack_expected");
    expect(await settled()).toMatchObject([{ kind: "delivered", sockets: 1 }]);
  });

  it("is not settled by an answer to an older try", async () => {
    const { book, sent, answer, settled } = openBook();
    book.expect(sent);
    book.sent(sent.id, 1, PLACE);
    answer("written", 1, 0);
    expect(await settled()).toEqual([]);
  });

  it("is not lost when a second envelope held the same note", async () => {
    for (const winner of ["first", "second"]) {
      const { book, sent, answer, settled } = openBook();
      book.expect(sent);
      book.expect(sent);
      for (const turn of ["first", "second"]) book.sent(sent.id, turn === winner ? 1 : -1, PLACE);
      answer("written");
      expect(await settled()).toMatchObject([{ kind: "delivered", sockets: 1 }]);
      expect(book.size).toBe(0);
    }
    const { book, sent } = openBook();
    book.expect(sent);
    book.expect(sent);
    book.sent(sent.id, -1, NOWHERE);
    expect(book.size).toBe(1);
    book.sent(sent.id, -1, NOWHERE);
    expect(book.size).toBe(0);
  });

  it("is forgotten when the script found no node", async () => {
    const { book, clock, sent, settled } = openBook();
    book.expect(sent);
    book.sent(sent.id, 0, PLACE);
    clock.advance(60_000);
    expect(await settled()).toEqual([]);
    expect(book.size).toBe(0);
  });

  it("meets exactly one fate, and a written one is delivered, in any order of answers", async () => {
    const results = fc.array(
      fc.constantFrom<AnswerResult>("written", "ack_expected", "no_socket", "slow", "awaiting_ack"),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(results, fc.nat({ max: 4 }), async (answers, repliedAfter) => {
        const { book, clock, sent, answer, settled } = openBook();
        book.expect(sent);
        answers.forEach((result, index) => {
          if (index === repliedAfter) book.sent(sent.id, answers.length, PLACE);
          answer(result);
        });
        if (repliedAfter >= answers.length) book.sent(sent.id, answers.length, PLACE);
        clock.advance(ANSWER_MS + ACK_MS + 200);
        const fates = await settled();
        expect(fates).toHaveLength(1);
        const wrote = answers.some((one) => one === "written" || one === "ack_expected");
        if (wrote) expect(fates[0]?.kind).toBe("delivered");
        else if (answers.includes("awaiting_ack")) expect(fates[0]?.kind).toBe("unconfirmed");
        else expect(fates[0]?.kind).toBe("offline");
      }),
    );
  });
});
