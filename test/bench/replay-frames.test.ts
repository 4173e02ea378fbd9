/** What the bench reads off a frame without parsing it. */
import { describe, expect, it } from "vitest";
import { scanFrame } from "./frame-scan.ts";
import { judge, type Arrival } from "./judgement.ts";
import { baselineFrame, baselineSent, indexOf } from "./replay-frames.ts";

const USERS = 3;
const EACH = 4;

/** What a client reads of what the baseline sends, user by user. */
function arrivals(): Arrival[] {
  return Array.from({ length: USERS }, (_, user) =>
    Array.from({ length: EACH }, (_frame, at) => {
      const frame = Buffer.from(baselineFrame(indexOf(user, at + 1, USERS), at + 1, 600));
      const found = scanFrame(frame, 0, frame.length);
      if (found === undefined) throw new Error("a frame that is none");
      return { ...found, user, atMs: 0 };
    }),
  ).flat();
}

const judged = (list: readonly Arrival[]) => judge(baselineSent(USERS, EACH), list, [0, 0, 0]);

describe("the frames of the replay's baseline", () => {
  it("are judged as whole when each user gets their own in order", () => {
    const { accepted, arrived, lost, doubled, strayed, outOfOrder } = judged(arrivals());
    expect({ accepted, arrived, lost, doubled, strayed, outOfOrder }).toEqual({
      accepted: 12,
      arrived: 12,
      lost: 0,
      doubled: 0,
      strayed: 0,
      outOfOrder: 0,
    });
  });

  it("show one that is missing, one that comes late and one at somebody else's socket", () => {
    const list = arrivals();
    expect(judged(list.slice(1)).lost).toBe(1);
    const [first, second, ...rest] = list;
    if (first === undefined || second === undefined) throw new Error("there are twelve");
    expect(judged([second, first, ...rest]).outOfOrder).toBeGreaterThan(0);
    expect(judged([{ ...first, user: 2 }, second, ...rest]).strayed).toBe(1);
  });

  it("have the size that was asked for", () => {
    expect(Buffer.byteLength(baselineFrame(1_234, 17, 614))).toBe(614);
  });
});
