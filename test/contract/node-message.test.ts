/** What a process does not know in what another one sends is passed over alone, and nothing beside it. */
import { describe, expect, it } from "vitest";
import { parseAnswers, parseNodeMessage } from "../../src/contract/node-message.ts";
import { parseEnvelope } from "../../src/queue/envelope.ts";

const MESSAGE = "teacher-1 3 worker 1 12 epoch note-1 {}";

describe("a message to a gateway", () => {
  it("of a kind to come is none for this version", () => {
    expect(parseNodeMessage(MESSAGE)).toMatchObject({ userId: "teacher-1", replayId: 12 });
    expect(parseNodeMessage(MESSAGE.replace(" 1 12", " 2 12"))).toBeUndefined();
    expect(parseNodeMessage(MESSAGE.replace(" 1 12", " seen 1 12"))).toBeUndefined();
  });

  it("that was cut short is a fault", () => {
    expect(() => parseNodeMessage("teacher-1 3 worker 1 12")).toThrow(/cut short/);
  });
});

describe("answers of a gateway", () => {
  it("count, all but those that this version does not know", () => {
    let unread = 0;
    const text = "one 1 acked 2\ntwo 1 glanced_at 1 since\nthree 4 no_socket 0";
    expect(parseAnswers(text, () => (unread += 1)).map(({ noteId }) => noteId)).toEqual([
      "one",
      "three",
    ]);
    expect(unread).toBe(1);
  });

  it("may say more at the end of a line", () => {
    expect(parseAnswers("one 1 acked 2 since 5")).toEqual([
      { noteId: "one", fence: 1, result: "acked", sockets: 2 },
    ]);
  });
});

describe("an envelope", () => {
  it("may say more beside its items", () => {
    expect(parseEnvelope({ items: [["one", 0]], poison: 1 })).toEqual([{ id: "one", attempt: 0 }]);
  });
});
