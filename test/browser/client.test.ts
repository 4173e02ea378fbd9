/** The WebSocket client receives everything once, and says so when it could not. */
import { describe, expect, it } from "vitest";
import {
  EPOCH,
  gap,
  hello,
  notification,
  settle,
  start,
  storedPosition,
} from "./client-harness.ts";

describe("connecting", () => {
  it("sends the ticket and asks for acknowledged delivery", async () => {
    const { last } = await start();
    expect(last().query.get("ticket")).toBe("first");
    expect(last().query.get("ack")).toBe("1");
    expect(last().query.has("replay_from")).toBe(false);
  });

  it("sends a token where there are no tickets", async () => {
    const { last } = await start({ pass: { kind: "token", get: () => Promise.resolve("jwt") } });
    expect(last().query.get("token")).toBe("jwt");
    expect(last().query.has("ticket")).toBe(false);
  });

  it("asks on a later visit for what came since", async () => {
    const { last } = await start({}, storedPosition("41"));
    expect(last().query.get("replay_from")).toBe("41");
    expect(last().query.get("epoch")).toBe(EPOCH);
  });

  it("keeps the place when a connection breaks before anything arrived", async () => {
    const { last, clock, sockets } = await start({}, storedPosition("41"));
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(sockets).toHaveLength(2);
    expect(last().query.get("replay_from")).toBe("41");
  });

  it("keeps each person's place apart and ignores a damaged one", async () => {
    const other = await start({ userId: "u2" }, storedPosition("41"));
    expect(other.last().query.has("replay_from")).toBe(false);
    const damaged = await start({}, { "schoolbell.position.u1": '{"epoch":1}' });
    expect(damaged.last().query.has("replay_from")).toBe(false);
  });

  it("fills an empty inbox from the whole history, also with what was received before", async () => {
    const { last, shown } = await start({ startFrom: "history" }, storedPosition("2"));
    expect(last().query.get("replay_from")).toBe("0");
    last().receive(hello("3"));
    for (const id of ["1", "2", "3"]) last().receive(notification(id));
    expect(shown).toEqual(["n-1", "n-2", "n-3"]);
  });
});

describe("receiving", () => {
  it("shows a repeated notification once, whatever its replay id", async () => {
    const { last, shown } = await start();
    last().receive(hello("0"));
    last().receive(notification("1"));
    last().receive(notification("1"));
    last().receive(notification("1001", "e2", "n-1"));
    expect(shown).toEqual(["n-1"]);
  });

  it("shows nothing again when the largest history comes once more", async () => {
    const { last, shown } = await start();
    last().receive(hello("0"));
    const ids = Array.from({ length: 1_000 }, (_, index) => String(index + 1));
    for (const id of ids) last().receive(notification(id));
    last().receive(gap("epoch_changed", "1", "e2"));
    for (const id of ids) last().receive(notification(id));
    expect(shown.length).toBe(1_000);
  });

  it("continues after the last one received and never goes back", async () => {
    const { last, clock, storage } = await start();
    last().receive(hello("0"));
    last().receive(notification("7"));
    last().receive(notification("6"));
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.get("replay_from")).toBe("7");
    expect(JSON.parse(storage.get("schoolbell.position.u1") ?? "")).toEqual({
      epoch: EPOCH,
      replayId: "7",
    });
  });

  it("follows a history that started anew", async () => {
    const { last, clock } = await start();
    last().receive(hello("9"));
    last().receive(notification("9"));
    last().receive(notification("3", "e2"));
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.get("replay_from")).toBe("3");
    expect(last().query.get("epoch")).toBe("e2");
  });

  it("misses nothing once a heartbeat came, though it has received nothing yet", async () => {
    const { last, clock, shown } = await start();
    last().receive(hello("17"));
    last().receive({ type: "heartbeat", timestamp: "2026-09-15T14:00:00Z" });
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.get("replay_from")).toBe("17");
    expect(last().query.get("epoch")).toBe(EPOCH);
    last().receive(hello("18"));
    last().receive(notification("18"));
    expect(shown).toEqual(["n-18"]);
  });

  it("asks for the first message there ever was, if there was none when it began", async () => {
    const { last, clock } = await start();
    last().receive({ ...hello("0"), epoch: null });
    last().receive({ type: "heartbeat", timestamp: "2026-09-15T14:00:00Z" });
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.get("replay_from")).toBe("0");
    expect(last().query.has("epoch")).toBe(false);
  });

  it("asks for what met no tab as long as that may not have come", async () => {
    const { last, clock } = await start();
    last().receive(hello("17"));
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.has("replay_from")).toBe(false);
  });

  it("asks again for what the page failed to show", async () => {
    const { last, clock } = await start({
      onNotification: () => {
        throw new Error("broken page");
      },
    });
    last().receive(hello("4"));
    expect(() => last().receive(notification("5"))).toThrow("broken page");
    last().drop(1006);
    clock.advance(30_000);
    await settle();
    expect(last().query.has("replay_from")).toBe(false);
  });

  it("acknowledges a burst once, with its last replay id", async () => {
    const { last, clock } = await start();
    last().receive(hello("0"));
    last().receive(notification("1"));
    last().receive(notification("2"));
    clock.advance(1_000);
    expect(last().sent).toEqual([
      { type: "ack", replay_id: "2", epoch: EPOCH, notification_id: "n-2" },
    ]);
  });

  it("does not acknowledge when it was not asked to", async () => {
    const { last, clock } = await start({ ack: false });
    last().receive(hello("0"));
    last().receive(notification("1"));
    clock.advance(1_000);
    expect(last().sent).toEqual([]);
    expect(last().query.has("ack")).toBe(false);
  });

  it("reports what was read", async () => {
    const { last, client, frames } = await start({ ack: false });
    last().receive(hello("0"));
    last().receive(notification("1"));
    for (const frame of frames) client.read(frame);
    expect(last().sent).toEqual([
      { type: "read", replay_id: "1", epoch: EPOCH, notification_id: "n-1" },
    ]);
  });

  it("answers a heartbeat", async () => {
    const { last } = await start();
    last().receive(hello("0"));
    last().receive({ type: "heartbeat", timestamp: "2026-09-15T14:00:00Z" });
    expect(last().sent).toEqual([{ type: "pong" }]);
  });

  it.each([
    ["text that is not JSON", "hello"],
    ["a list", "[]"],
    ["a kind that does not exist yet", { type: "sparkle" }],
    ["a notification without an id", { ...notification("1"), notification_id: 7 }],
    ["a replay id that is no number", { ...notification("1"), replay_id: "<b>" }],
  ])("survives %s", async (_name, frame) => {
    const { last, shown } = await start();
    last().receive(hello("0"));
    last().receive(frame);
    last().receive(notification("1"));
    expect(shown).toEqual(["n-1"]);
  });
});

describe("telling of a gap", () => {
  it("says so when messages were lost", async () => {
    const { last, gaps } = await start({}, storedPosition("5"));
    last().receive(hello("200"));
    last().receive(gap("trimmed", "101"));
    expect(gaps).toEqual(["trimmed"]);
  });

  it("says so when the whole rest was lost", async () => {
    const { last, gaps } = await start({}, storedPosition("5"));
    last().receive(hello("9"));
    last().receive(gap("trimmed", null));
    expect(gaps).toEqual(["trimmed"]);
  });

  it.each(["rewound", "epoch_changed"] as const)("says so when history was %s", async (reason) => {
    const { last, gaps } = await start({}, storedPosition("5"));
    last().receive(hello("1", "e2"));
    last().receive(gap(reason, "1", "e2"));
    expect(gaps).toEqual([reason]);
  });

  it("stays quiet about what this browser had received long ago", async () => {
    const { last, gaps } = await start({ startFrom: "history" }, storedPosition("150"));
    last().receive(hello("200"));
    last().receive(gap("trimmed", "101"));
    expect(gaps).toEqual([]);
  });

  it("says so on a first visit when messages that met no tab are no longer kept", async () => {
    const { last, gaps } = await start();
    last().receive(hello("200"));
    last().receive(gap("trimmed", "101"));
    expect(gaps).toEqual(["trimmed"]);
  });

  it("stays quiet on a first visit that asks for all that is kept", async () => {
    const { last, gaps } = await start({ startFrom: "history" });
    last().receive(hello("200"));
    last().receive(gap("trimmed", "101"));
    expect(gaps).toEqual([]);
  });
});
