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
});
