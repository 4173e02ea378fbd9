/** How long a push may wait for a phone that is off, how urgent it is, and what its topic gives away. */
import { describe, expect, it } from "vitest";
import { createMessages } from "../../src/delivery/messages.ts";
import { PRIORITIES } from "../../src/contract/vocabulary.ts";
import { preferencesSchema } from "../../src/delivery/preferences.ts";
import type { Note } from "../../src/tracking/note.ts";
import { renderer, templates } from "../content/fixtures.ts";
import { note } from "./notes.ts";

const NOW = Date.UTC(2026, 8, 1, 8);
const DAY_SECONDS = 86_400;

const messages = createMessages({
  templates,
  renderer,
  publicUrl: () => "https://school.example",
  iconUrl: "/icon.png",
  receiptToken: () => "token",
});
const preferences = preferencesSchema.parse({});
const push = (changes: Partial<Note>) => messages.push(note(changes), preferences, NOW);

describe("a push message", () => {
  it("says for every priority how long it may wait and how urgent it is", () => {
    const said = PRIORITIES.map((priority) => {
      const { ttlSeconds, urgency } = push({ priority, templateId: "batch_processing_failed" });
      return [priority, ttlSeconds, urgency];
    });
    expect(said).toEqual([
      ["critical", DAY_SECONDS, "high"],
      ["immediate", 14_400, "high"],
      ["high", 14_400, "high"],
      ["standard", 3_600, "normal"],
      ["low", 300, "low"],
    ]);
  });

  it("waits at the push service no longer than until its sender lets it expire", () => {
    const expiresAt = NOW + 90_500;
    expect(push({ priority: "critical", expiresAt }).ttlSeconds).toBe(91);
    expect(push({ priority: "low", expiresAt: NOW + 3_600_000 }).ttlSeconds).toBe(300);
    expect(push({ priority: "low", expiresAt: NOW - 1 }).ttlSeconds).toBe(0);
  });

  it("has a topic that push services take and that says nothing of whom it is about", () => {
    const request = {
      data: { student_name: "Sarah", student_id: "student-77", batch_id: "b-1" },
      correlation_id: "c",
      student_id: "student-77",
    };
    for (const templateId of ["iep_meeting_reminder", "batch_processing_failed"]) {
      const { topic } = push({ templateId, request, userId: "teacher-1" });
      // 32 hexadecimal digits are base64url characters too, and spell nobody's name.
      expect(topic).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it("has its own topic each time it is tried, so that a second copy replaces the first", () => {
    const [first, again] = [push({ id: "n-1" }), push({ id: "n-1", attempt: 3 })];
    expect(again.topic).toBe(first.topic);
    expect(push({ id: "n-2" }).topic).not.toBe(first.topic);
    expect(push({ id: "n-1", userId: "teacher-2" }).topic).not.toBe(first.topic);
  });
});
