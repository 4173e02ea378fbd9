/** What is pushed is what the service worker can read: else a person gets "New notification" only. */
import { describe, expect, it } from "vitest";
import { readPayload } from "../../src/browser/worker/payload.ts";
import { createMessages } from "../../src/delivery/messages.ts";
import { preferencesSchema } from "../../src/delivery/preferences.ts";
import { renderer, templates } from "../content/fixtures.ts";
import { note } from "../delivery/notes.ts";

const messages = createMessages({
  templates,
  renderer,
  publicUrl: () => "https://school.example",
  iconUrl: "/icon.png",
  receiptToken: () => "token",
});

function pushed(replayId: string | null): string {
  const request = { data: { title: "Bus is late", body: "Ten minutes." }, correlation_id: "c" };
  const announcement = note({ id: "n-1", templateId: "announcement", replayId, request });
  return messages.push(announcement, preferencesSchema.parse({}), 0).payload;
}

describe("the service worker", () => {
  it.each([
    ["with a place in the history", "12"],
    ["for push alone, which has none", null],
  ])("reads the payload of a notification %s", (_what, replayId) => {
    expect(readPayload(pushed(replayId))).toMatchObject({
      notification_id: "n-1",
      title: "New announcement",
      body: "Bus is late",
      receipt: "token",
    });
  });

  it("that is still the one of before reads it too", () => {
    expect(pushed(null)).not.toContain("replay_id");
  });

  it("reads what a server of before pushed", () => {
    const before = JSON.stringify({ ...JSON.parse(pushed("12")), replay_id: null });
    expect(readPayload(before).body).toBe("Bus is late");
  });
});
