/** The judgement sees a frame only through this: what it misses or mixes up, nobody finds. */
import { describe, expect, it } from "vitest";
import { scanFrame } from "./frame-scan.ts";

function scan(frame: object) {
  const bytes = Buffer.from(`before${JSON.stringify(frame)}after`);
  return scanFrame(bytes, "before".length, bytes.length - "after".length);
}

const FRAME = {
  replay_id: "17",
  epoch: "e",
  notification_id: "n-1",
  data: { title: "Ünïcode 钟" },
  correlation_id: "bench-4711",
};

describe("the look at a frame", () => {
  it("finds what is judged, wherever it stands", () => {
    const found = { index: 4_711, replayId: 17, notificationId: "n-1" };
    expect(scan(FRAME)).toEqual(found);
    expect(scan(Object.fromEntries(Object.entries(FRAME).toReversed()))).toEqual(found);
  });

  it("tells what is no notification", () => {
    expect(scan({ type: "connected", replay_id: "3" })).toBeUndefined();
    expect(scan({ type: "heartbeat", timestamp: "2026-11-21T10:00:00Z" })).toBeUndefined();
  });

  it("gives none of the bench's own numbers to a notification of somebody else", () => {
    expect(scan({ ...FRAME, correlation_id: "other-17" })?.index).toBeNaN();
  });

  it("does not look beyond the frame", () => {
    const [first, second] = [{ ...FRAME, correlation_id: "none" }, FRAME].map((frame) =>
      Buffer.from(JSON.stringify(frame)),
    );
    const bytes = Buffer.concat([first ?? Buffer.of(), second ?? Buffer.of()]);
    expect(scanFrame(bytes, 0, first?.length ?? 0)?.index).toBeNaN();
  });
});
