/** What a page was told that it cannot have, and nothing beyond. */
import { expect, it } from "vitest";
import type { TabEvent } from "../evidence.ts";
import { isExcused } from "./excused.ts";
import { frame, gap, open } from "./sound-run.ts";

const tab = (...events: TabEvent[]) => ({ userId: "u", name: "u/1", events, connectedAtEnd: true });
const place = (replayId: number, epoch = "e1") => ({ epoch, replayId });
const at = (replayId: number, epoch = "e1") => frame(replayId, "n", "k", epoch);
const RESUMED = open("e1", 4, { replayId: 4, epoch: "e1" });

it("excuses what was trimmed, and neither what came before nor what is kept", () => {
  const trimmed = tab(RESUMED, gap("trimmed", "e1", 9), at(9));
  expect([4, 5, 8, 9, 10].map((id) => isExcused(trimmed, place(id)))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

it("excuses the lost end of an epoch, and nothing of the one that is told", () => {
  const changed = tab(RESUMED, gap("epoch_changed", "e2", 1006), at(1006, "e2"));
  expect(isExcused(changed, place(5))).toBe(true);
  expect(isExcused(changed, place(1007, "e2"))).toBe(false);
});

it("does not excuse what was to be told when the connection broke", () => {
  const broken = tab(RESUMED, gap("epoch_changed", "e2", 1));
  expect(isExcused(broken, place(1006, "e2"))).toBe(false);
  expect(isExcused(tab(RESUMED, gap("trimmed", "e1", undefined)), place(5))).toBe(true);
});

it("excuses what lies before a connection that asked for no replay", () => {
  const fresh = tab(open("e1", 4));
  expect([isExcused(fresh, place(4)), isExcused(fresh, place(5))]).toEqual([true, false]);
});
