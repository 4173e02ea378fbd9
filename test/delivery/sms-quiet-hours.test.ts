/** An SMS waits for the end of the person's own night, also when the clocks change in it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Preferences } from "../../src/delivery/preferences.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { openScene } from "./provider-scene.ts";

const ALL = { websocket: true, push: true, sms: true };
const NIGHT = { from: "21:00", to: "07:00" };
const STOCKHOLM: Preferences = { channels: ALL, timezone: "Europe/Stockholm", quiet_hours: NIGHT };

let book: TestLedger;

beforeEach(async () => {
  book = await openTestLedger();
});
afterEach(() => book.store.close());

/** When an SMS of this time goes out, in UTC. */
async function sentAt(
  time: string,
  preferences: Preferences,
  given: Partial<NewNote> = {},
): Promise<string | undefined> {
  const scene = openScene(book, { preferences });
  book.clock.advance(Date.parse(time) - book.clock.now());
  const { id } = await book.create({
    stage: "sms",
    channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
    dueAt: book.clock.now(),
    request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    ...given,
  });
  const end = book.clock.now() + 25 * 3_600_000;
  while ((await book.read(id)).stage !== null && book.clock.now() < end) {
    await scene.run(book.clock.now() + 1);
    book.clock.advance(60_000 - (book.clock.now() % 60_000));
  }
  const [sent] = scene.texted;
  return sent === undefined ? undefined : new Date(sent.at).toISOString().slice(0, 16);
}

describe("an SMS in the person's quiet hours", () => {
  it.each([
    ["in winter", "2026-11-22T22:30:00Z", "2026-11-23T06:00"],
    ["in the night in which the clocks go forward", "2027-03-27T22:30:00Z", "2027-03-28T05:00"],
    ["in the night in which the clocks go back", "2026-10-24T22:30:00Z", "2026-10-25T06:00"],
    ["an hour before they end", "2026-11-23T05:00:00Z", "2026-11-23T06:00"],
  ])("waits for the morning on their wall: %s", async (_when, time, sent) => {
    expect(await sentAt(time, STOCKHOLM)).toBe(sent);
  });

  it("is sent in the evening of somebody in another zone", async () => {
    const newYork = { ...STOCKHOLM, timezone: "America/New_York" };
    expect(await sentAt("2026-11-22T22:30:00Z", newYork)).toBe("2026-11-22T22:30");
  });

  it("goes by the zone of the person, not that of the request", async () => {
    const request = {
      data: {},
      correlation_id: "c",
      phone_number: "+46701234567",
      timezone: "America/New_York",
    };
    expect(await sentAt("2026-11-22T22:30:00Z", STOCKHOLM, { request })).toBe("2026-11-23T06:00");
  });

  it("is sent at once where it is critical, or the person set none", async () => {
    const critical: Partial<NewNote> = { priority: "critical", lane: "urgent" };
    expect(await sentAt("2026-11-22T22:30:00Z", STOCKHOLM, critical)).toBe("2026-11-22T22:30");
    const none = { channels: ALL, timezone: "Europe/Stockholm" };
    expect(await sentAt("2026-11-22T23:30:00Z", none)).toBe("2026-11-22T23:30");
  });

  it("is not sent at all where it would come too late", async () => {
    const expiresAt = Date.parse("2026-11-23T05:59:00Z");
    expect(await sentAt("2026-11-22T22:30:00Z", STOCKHOLM, { expiresAt })).toBeUndefined();
  });
});
