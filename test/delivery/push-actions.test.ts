/** The buttons of a push message: which come first, and in which language. */
import { describe, expect, it } from "vitest";
import { loadLocales } from "../../src/content/locales.ts";
import { createRenderer } from "../../src/content/render.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import { canSnooze, pushActions } from "../../src/delivery/push-actions.ts";

const OPEN = { action: "open_plan", title: "Open", url: "/iep/1" };
const CALL = { action: "call", title: "Call", url: "/call" };
const HOUR_MS = 3_600_000;

function order(
  own: readonly (typeof OPEN)[],
  { asks = false, mayBeSnoozed = true }: { asks?: boolean; mayBeSnoozed?: boolean } = {},
): string[] {
  const labels = { markRead: "read", remindLater: "later" };
  const actions = pushActions({ own, asksForSomething: asks, mayBeSnoozed, labels });
  return actions.map(({ action }) => action);
}

describe("of the buttons that a browser shows, two as a rule,", () => {
  it("one is the template's own, and the other says that it was read", () => {
    expect(order([OPEN])).toEqual(["open_plan", "mark-read", "remind-later"]);
    expect(order([OPEN, CALL])).toEqual(["open_plan", "mark-read", "call", "remind-later"]);
  });

  it("or puts it off, where something is asked: it must not be out of mind unanswered", () => {
    expect(order([OPEN, CALL], { asks: true })).toEqual([
      "open_plan",
      "remind-later",
      "call",
      "mark-read",
    ]);
    expect(order([OPEN], { asks: true, mayBeSnoozed: false })).toEqual(["open_plan", "mark-read"]);
  });

  it("both are ours where the template has none", () => {
    expect(order([])).toEqual(["mark-read", "remind-later"]);
    expect(order([], { asks: true })).toEqual(["remind-later", "mark-read"]);
    expect(order([], { mayBeSnoozed: false })).toEqual(["mark-read"]);
  });
});

it("a reminder is offered where the history has the message and it is still wanted in an hour", () => {
  expect(canSnooze({ replayId: "1", expiresAt: null }, 0)).toBe(true);
  expect(canSnooze({ replayId: null, expiresAt: null }, 0)).toBe(false);
  expect(canSnooze({ replayId: "1", expiresAt: HOUR_MS + 1 }, 0)).toBe(true);
  expect(canSnooze({ replayId: "1", expiresAt: HOUR_MS }, 0)).toBe(false);
});

it("every language has words of its own for them", () => {
  const dir = new URL("../../locales", import.meta.url).pathname;
  const renderer = createRenderer({ locales: loadLocales({ dir }) });
  for (const name of ["mark_read", "remind_later"] as const) {
    const words = LOCALES.map((locale) => renderer.button({ locale }, name));
    expect(new Set(words).size).toBe(LOCALES.length);
    // Longer ones are cut off on a phone.
    for (const word of words) expect(word.length).toBeGreaterThan(2);
    for (const word of words) expect(word.length).toBeLessThanOrEqual(30);
  }
});
