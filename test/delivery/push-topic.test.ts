/** On the lock screen, which notification takes the place of which. */
import { describe, expect, it } from "vitest";
import { createMessages } from "../../src/delivery/messages.ts";
import { preferencesSchema } from "../../src/delivery/preferences.ts";
import type { StoredRequest } from "../../src/tracking/note.ts";
import { renderer, templates } from "../content/fixtures.ts";
import { note } from "./notes.ts";

const messages = createMessages({
  templates,
  renderer,
  publicUrl: () => "https://school.example",
  iconUrl: "/icon.png",
  receiptToken: () => "token",
});
const preferences = preferencesSchema.parse({});

function topicOf(id: string, request: Partial<StoredRequest>): string {
  const about = { data: {}, correlation_id: "c", ...request };
  const failed = note({ id, templateId: "batch_processing_failed", request: about });
  return messages.push(failed, preferences, 0).topic;
}

describe("two notifications about one batch", () => {
  it("take each other's place, whether the batch is named in the data or beside it", () => {
    const first = topicOf("n-1", { data: { batch_id: "b-1" } });
    expect(topicOf("n-2", { batch_id: "b-1" })).toBe(first);
    expect(topicOf("n-3", { data: { batch_id: null }, batch_id: "b-1" })).toBe(first);
  });

  it("do not if they are about different ones, or none is named", () => {
    const topics = [
      topicOf("n-1", { data: { batch_id: "b-1" } }),
      topicOf("n-2", { batch_id: "b-2" }),
      topicOf("n-3", { data: { batch_id: null } }),
      topicOf("n-4", {}),
    ];
    expect(new Set(topics).size).toBe(topics.length);
  });
});
