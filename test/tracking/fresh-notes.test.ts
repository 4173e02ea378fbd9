/** What a process keeps of its own notes is bounded, and never handed out twice. */
import { describe, expect, it } from "vitest";
import { createFreshNotes } from "../../src/tracking/fresh-notes.ts";
import { note } from "../delivery/notes.ts";
import { createManualClock } from "../support/manual-clock.ts";

const MAX_NOTES = 10_000;

describe("a note that was just created", () => {
  it("is handed out once", () => {
    const fresh = createFreshNotes(createManualClock());
    const kept = note({ id: "one" });
    fresh.keep(kept);
    expect(fresh.take("one")).toBe(kept);
    expect(fresh.take("one")).toBeUndefined();
    expect(fresh.take("another")).toBeUndefined();
  });

  it("stays out of a full store, and gets in once those before it are stale", () => {
    const clock = createManualClock();
    const fresh = createFreshNotes(clock);
    for (let at = 0; at < MAX_NOTES; at += 1) fresh.keep(note({ id: `note-${at}` }));
    fresh.keep(note({ id: "late" }));
    expect(fresh.take("late")).toBeUndefined();
    clock.advance(10_000);
    fresh.keep(note({ id: "later" }));
    expect(fresh.take("later")).toBeDefined();
    expect(fresh.take("note-0")).toBeUndefined();
  });

  it("stays out where a few large ones fill the store, until one of them is handed out", () => {
    const fresh = createFreshNotes(createManualClock());
    const large = (id: string) => note({ id, stateAt: 10_000_000 });
    fresh.keep(large("one"));
    fresh.keep(large("two"));
    fresh.keep(note({ id: "three" }));
    expect(fresh.take("three")).toBeUndefined();
    expect(fresh.take("one")).toBeDefined();
    fresh.keep(note({ id: "four" }));
    expect(fresh.take("four")).toBeDefined();
  });
});
