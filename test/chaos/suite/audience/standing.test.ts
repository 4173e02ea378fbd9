/** How far a page is, from what it received and was told. */
import { expect, it } from "vitest";
import type { TabEvent } from "../evidence.ts";
import { advanceStanding, hasReached, NOWHERE } from "./standing.ts";

const open = (
  replayId: number,
  epoch: string,
  from?: { replayId: number; epoch: string | undefined },
): TabEvent => ({ kind: "open", at: 0, epoch, replayId, visit: 0, from });
const frame = (replayId: number, epoch = "e"): TabEvent => ({
  kind: "frame",
  at: 0,
  notificationId: "n",
  key: "k",
  replayId,
  epoch,
});
const gap = (oldest: number | undefined, epoch: string): TabEvent => ({
  kind: "gap",
  at: 0,
  reason: "trimmed",
  epoch,
  oldest,
});
const after = (...events: TabEvent[]) => events.reduce(advanceStanding, NOWHERE);

it("begins where it asked, and goes with what arrives", () => {
  const asked = open(5, "e", { replayId: 3, epoch: "e" });
  expect(hasReached(after(asked), { epoch: "e", replayId: 5 })).toBe(false);
  const standing = after(asked, frame(4), frame(5));
  expect(hasReached(standing, { epoch: "e", replayId: 5 })).toBe(true);
  expect(hasReached(standing, { epoch: "e", replayId: 6 })).toBe(false);
  expect(hasReached(standing, { epoch: "other", replayId: 5 })).toBe(false);
});

it("is not moved back by what had met no socket", () => {
  const standing = after(open(9, "e"), frame(2), frame(7, "older"));
  expect(hasReached(standing, { epoch: "e", replayId: 9 })).toBe(true);
  expect(after(open(9, "e"), frame(2), frame(10))).toMatchObject({ replayId: 10 });
});

it("has nothing more to wait for where nothing is kept", () => {
  const asked = open(9, "new", { replayId: 3, epoch: "e" });
  expect(hasReached(after(asked, gap(undefined, "new")), { epoch: "new", replayId: 9 })).toBe(true);
  expect(hasReached(after(asked, gap(8, "new")), { epoch: "new", replayId: 9 })).toBe(false);
});
