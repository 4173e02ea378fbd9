/** Recovery is told from what arrived, and from nothing else. */
import { expect, it } from "vitest";
import type { Asked, Evidence, TabEvent } from "../evidence.ts";
import { measureRecovery, type Struck } from "./recovery.ts";

function asked(key: string, askedAt: number): Asked {
  return {
    key,
    by: "rest",
    userId: "u",
    phoneNumber: undefined,
    critical: false,
    askedAt,
    acceptedAt: askedAt,
    ids: [`id-${key}`],
    scheduled: false,
    cancelled: false,
  };
}

function frame(key: string, at: number): TabEvent {
  return { kind: "frame", at, notificationId: `id-${key}`, key, replayId: 1, epoch: "e" };
}

function evidence(all: readonly Asked[], events: readonly TabEvent[]) {
  return {
    asked: all,
    tabs: [{ userId: "u", name: "t", events, connectedAtEnd: true }],
    pushes: [
      { at: 5_000, endpoint: "e", notificationId: "id-c", key: "", status: 201, receipted: false },
    ],
    texts: [],
  } satisfies Partial<Evidence>;
}

const ALL = [asked("a", 1_000), asked("b", 2_500), asked("c", 3_500), asked("d", 4_000)];
const EVENTS = [frame("a", 1_010), frame("b", 4_500), frame("c", 3_700), frame("d", 4_010)];
const STRUCK: Struck = {
  fault: "redis-cut",
  path: "websocket",
  struckAt: 2_000,
  liftedAt: 3_000,
};

/** Only what recovery is told from. */
const measure = (struck: readonly Struck[], known: ReturnType<typeof evidence>) =>
  // The rest of the evidence is not looked at.
  measureRecovery(struck, known as unknown as Evidence);

it("the first message asked for afterwards, and the last one from before", () => {
  expect(measure([STRUCK], evidence(ALL, EVENTS))).toEqual([
    { fault: "redis-cut", firstMs: 700, caughtUpMs: 1_500 },
  ]);
});

it("what was scheduled was not late", () => {
  const all = ALL.map((one) => ({ ...one, scheduled: one.key === "b" }));
  expect(measure([STRUCK], evidence(all, EVENTS))).toEqual([
    { fault: "redis-cut", firstMs: 700, caughtUpMs: 0 },
  ]);
});

it("says so where nothing came any more", () => {
  expect(measure([STRUCK], evidence(ALL, []))).toEqual([
    { fault: "redis-cut", firstMs: undefined, caughtUpMs: 0 },
  ]);
});

it("is told from pushes where pushes were hit", () => {
  expect(measure([{ ...STRUCK, path: "push" }], evidence(ALL, EVENTS))).toEqual([
    { fault: "redis-cut", firstMs: 2_000, caughtUpMs: 0 },
  ]);
});

it("is not told where another fault was near", () => {
  const other: Struck = { ...STRUCK, fault: "kill-api", struckAt: 6_000, liftedAt: 6_000 };
  expect(measure([STRUCK, other], evidence(ALL, EVENTS))).toEqual([]);
});
