/** What may follow on what, on one connection: every way a history can be told, and each way it cannot. */
import { expect, it } from "vitest";
import type { TabEvent } from "../evidence.ts";
import { followConnection } from "./reading.ts";
import { frame, gap, open } from "./sound-run.ts";

const at = (replayId: number, epoch = "e1") => frame(replayId, `n${replayId}`, "k", epoch);
const WHOLE = { replayId: 0, epoch: undefined };

/** What is said of a connection that was greeted first, gaps and messages behind it. */
function said(greeting: TabEvent, ...events: TabEvent[]): string[] {
  if (greeting.kind !== "open") throw new Error("a connection begins with a greeting");
  const reading = followConnection(greeting);
  return events.flatMap((event) => {
    if (event.kind === "gap") reading.gap(event);
    return event.kind === "frame" ? (reading.frame(event) ?? []) : [];
  });
}

const LAWFUL: readonly (readonly [string, TabEvent, ...TabEvent[]])[] = [
  ["live messages behind a place", open("e1", 4, { replayId: 4, epoch: "e1" }), at(5), at(6)],
  ["a replay behind a place", open("e1", 6, { replayId: 4, epoch: "e1" }), at(5), at(6), at(7)],
  ["a person's first messages", open("", 0, WHOLE), at(1), at(2)],
  ["the whole of one epoch", open("e1", 2, WHOLE), at(1), at(2), at(3)],
  ["the whole over two", open("e2", 1003, WHOLE), at(1), at(2), at(1003, "e2"), at(1004, "e2")],
  ["a whole that is cut off", open("e1", 9, WHOLE), gap("trimmed", "e1", 7), at(7), at(8), at(9)],
  [
    "two epochs that began unseen",
    open("", 0, WHOLE),
    gap("epoch_changed", "e2", 1),
    at(1),
    at(1002, "e2"),
  ],
  ["what met no socket", open("e1", 9), at(3), at(7), at(10)],
  ["what met no socket, cut off", open("e1", 9), gap("trimmed", "e1", 7), at(8), at(10)],
  [
    "an epoch that changes under an open socket",
    open("e1", 4, { replayId: 4, epoch: "e1" }),
    gap("epoch_changed", "e2", 1),
    at(5),
    at(1006, "e2"),
    at(1007, "e2"),
  ],
  [
    "an epoch that changed meanwhile",
    open("e2", 1003, { replayId: 4, epoch: "e1" }),
    gap("epoch_changed", "e2", 1),
    at(1),
    at(2),
    at(1003, "e2"),
  ],
  [
    "a history that was taken back",
    open("e1", 2, { replayId: 4, epoch: "e1" }),
    gap("rewound", "e1", 1),
    at(1),
    at(2),
    gap("epoch_changed", "e2", 1),
    at(1003, "e2"),
  ],
  [
    "a history that was taken back to nothing",
    open("", 0, { replayId: 4, epoch: "e1" }),
    gap("rewound", "", undefined),
    at(1, "e2"),
    at(2, "e2"),
  ],
];

for (const [what, ...events] of LAWFUL) {
  it(what, () => expect(said(...events)).toEqual([]));
}

const RESUMED = open("e1", 4, { replayId: 4, epoch: "e1" });

const WRONG: readonly (readonly [string, string, TabEvent, ...TabEvent[]])[] = [
  ["a hole", "6 of e1 came behind 4 of e1", RESUMED, at(6)],
  ["a step back", "4 of e1 came behind 5 of e1", RESUMED, at(5), at(4)],
  ["a repetition", "5 of e1 came behind 5 of e1", RESUMED, at(5), at(5)],
  ["another epoch without a word", "1005 of e2 came behind 4 of e1", RESUMED, at(1005, "e2")],
  [
    "an epoch that began unseen, without a word",
    "1002 of e2 came behind 1 of e1",
    open("", 0, WHOLE),
    at(1),
    at(1002, "e2"),
  ],
  ["a first message that is missing", "2 of e1 came behind no history", open("", 0, WHOLE), at(2)],
  ["a whole with its start cut off", "2 of e1 came behind no history", open("e1", 2, WHOLE), at(2)],
  [
    "a hole in an older epoch",
    "3 of e1 came behind 1 of e1",
    open("e2", 1003, WHOLE),
    at(1),
    at(3),
  ],
  ["what met no socket, twice", "3 of e1 came twice", open("e1", 9), at(3), at(3)],
  ["a hole behind the greeting", "11 of e1 came behind 9 of e1", open("e1", 9), at(11)],
  [
    "a gap that ends elsewhere",
    "8 of e1 came behind 4 of e1",
    RESUMED,
    gap("trimmed", "e1", 7),
    at(8),
  ],
  [
    "a hole behind a gap",
    "9 of e1 came behind 7 of e1",
    RESUMED,
    gap("trimmed", "e1", 7),
    at(7),
    at(9),
  ],
  [
    "a third epoch behind the one that was announced",
    "2008 of e3 came behind 1006 of e2",
    RESUMED,
    gap("epoch_changed", "e2", 1),
    at(1006, "e2"),
    at(2008, "e3"),
  ],
];

for (const [what, sentence, ...events] of WRONG) {
  it(what, () => expect(said(...events)).toEqual([sentence]));
}
