/** A bench that could not see a loss would prove nothing: each fault is put in and must be found. */
import { describe, expect, it } from "vitest";
import { isSound, judge, type Arrival, type Sent } from "./judgement.ts";

/** Requests of two users in turn, 10 ms apart, each answered after 5 ms. */
function requests(count: number): Sent[] {
  return Array.from({ length: count }, (_, index) => ({
    user: index % 2,
    intendedMs: index * 10,
    sentMs: index * 10,
    answeredMs: index * 10 + 5,
    notificationId: `n${index}`,
    refusal: undefined,
  }));
}

/** All of them, as they should arrive. */
function arrivalsOf(sent: readonly Sent[]): Arrival[] {
  return sent.map(({ user, sentMs }, index) => ({
    user,
    index,
    notificationId: `n${index}`,
    replayId: Math.floor(index / 2) + 1,
    atMs: sentMs + 8,
  }));
}

function judgeChanged(change: (arrivals: Arrival[], sent: Sent[]) => unknown) {
  const sent = requests(8);
  const arrivals = arrivalsOf(sent);
  change(arrivals, sent);
  return judge(sent, arrivals, [0, 0]);
}

/** The one at this place with something about it changed. */
function alter<T>(list: T[], at: number, change: Partial<T>): void {
  const [before] = list.slice(at, at + 1);
  if (before !== undefined) list[at] = { ...before, ...change };
}

describe("the verdict", () => {
  it("is sound when all arrived once and in order", () => {
    const judgement = judgeChanged(() => {});
    expect(judgement).toMatchObject({ accepted: 8, arrived: 8, lost: 0, doubled: 0 });
    expect(isSound(judgement)).toBe(true);
  });

  it("goes on from the replay ids that the sockets began with", () => {
    const sent = requests(4);
    const arrivals = arrivalsOf(sent).map((one) => ({ ...one, replayId: one.replayId + 40 }));
    expect(isSound(judge(sent, arrivals, [40, 40]))).toBe(true);
    expect(judge(sent, arrivals, [0, 0]).outOfOrder).toBe(2);
  });

  it.each([
    ["one that never came", "lost", (list: Arrival[]) => list.pop()],
    ["one that came twice", "doubled", (list: Arrival[]) => list.push(...list.slice(0, 1))],
    ["one that came to somebody else", "strayed", (list: Arrival[]) => alter(list, 7, { user: 0 })],
    [
      "one under another id than was promised",
      "strayed",
      (list: Arrival[]) => alter(list, 7, { notificationId: "n1" }),
    ],
    ["one that nobody sent", "strayed", (list: Arrival[]) => alter(list, 7, { index: 99 })],
    [
      "two that changed places",
      "outOfOrder",
      (list: Arrival[]) => list.splice(4, 0, ...list.splice(6, 1)),
    ],
    [
      "a hole in the replay ids",
      "outOfOrder",
      (list: Arrival[]) => alter(list, 7, { replayId: 9 }),
    ],
    [
      "a later request that was numbered first",
      "overtaken",
      (list: Arrival[]) => {
        alter(list, 5, { index: 7, notificationId: "n7" });
        alter(list, 7, { index: 5, notificationId: "n5" });
      },
    ],
    [
      "a request that was refused",
      "refused",
      (list: Arrival[], sent: Sent[]) => {
        list.pop();
        alter(sent, 7, { notificationId: undefined, refusal: "answered 503" });
      },
    ],
  ] as const)("finds %s", (_what, fault, change) => {
    const judgement = judgeChanged(change);
    expect(judgement[fault]).toBeGreaterThan(0);
    expect(isSound(judgement)).toBe(false);
  });

  it("lets two requests that were under way together be numbered either way round", () => {
    const judgement = judgeChanged((list, sent) => {
      alter(sent, 5, { answeredMs: 100 });
      alter(list, 5, { index: 7, notificationId: "n7" });
      alter(list, 7, { index: 5, notificationId: "n5" });
    });
    expect(isSound(judgement)).toBe(true);
  });

  it("is not sound when nothing was accepted, and says why", () => {
    const sent = requests(3).map((one) => ({
      ...one,
      notificationId: undefined,
      refusal: "answered 401",
    }));
    const judgement = judge(sent, [], [0, 0]);
    expect(judgement.refusals).toEqual({ "answered 401": 3 });
    expect(isSound(judgement)).toBe(false);
  });
});
