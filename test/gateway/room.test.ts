/** A worker is answered as soon as it is known what becomes of its message, and no sooner. */
import { expect, it } from "vitest";
import type { NodeAnswer, NodeMessage } from "../../src/contract/node-message.ts";
import { createFrameOf } from "../../src/gateway/frame.ts";
import { Room, type Seat } from "../../src/gateway/room.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";

type State = "joining" | "joined" | "closing";

const MESSAGE: NodeMessage = {
  userId: "anna",
  fence: 1,
  workerId: "w",
  wantsAck: false,
  replayId: 1,
  epoch: "e",
  noteId: "n",
  payload: "{}",
};

/** A room with one socket, whose state can change. */
function openRoom(state: State) {
  let now = state;
  const answered: NodeAnswer["result"][] = [];
  const seat: Seat = {
    position: { epoch: null, id: 0 },
    acknowledges: false,
    isJoining: () => now === "joining",
    isJoined: () => now === "joined",
    isTaking: () => now === "joined",
    write: () => true,
    replay: () => {},
  };
  const room = new Room("anna", {
    history: { since: () => Promise.reject(new Error("nobody lacks anything")) },
    answers: { add: (_workerId, { result }) => void answered.push(result) },
    frameOf: createFrameOf({ sealing: { open: (sealed) => sealed }, onBroken: () => {} }),
    onSent: () => {},
    log: createSilentLogger(),
  });
  room.add(seat);
  return {
    answered,
    deliver: () => room.deliver(MESSAGE),
    become(next: State) {
      now = next;
      room.ready(seat);
    },
  };
}

it("waits for a socket that is on its way in", () => {
  const room = openRoom("joining");
  room.deliver();
  expect(room.answered).toEqual([]);
  room.become("joined");
  expect(room.answered).toEqual(["written"]);
});

it("waits for none that is closing: the next channel must not wait for its goodbye", () => {
  const room = openRoom("closing");
  room.deliver();
  expect(room.answered).toEqual(["no_socket"]);
});
