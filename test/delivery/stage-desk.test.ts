/** The line that operators read for each try of a channel. */
import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { note } from "./notes.ts";
import { createTestDesk } from "./test-desk.ts";

const TRACEPARENT = "00-8247720201ef0267b55cbc8c6948c14d-dc65e457d6f86584-01";

function linesOf(request: ReturnType<typeof note>["request"]): unknown[] {
  const lines: unknown[] = [];
  const clock = createManualClock();
  const desk = createTestDesk({
    clock,
    ledger: { fetchToWork: async () => new Map(), advance: async () => [] },
    logger: createLogger({
      level: "info",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
  });
  desk.report(note({ request }), "push", "delivered", clock.now());
  return lines;
}

describe("the line of a delivery attempt", () => {
  it("carries the trace context of the event behind it", () => {
    const lines = linesOf({ data: {}, correlation_id: "c", traceparent: TRACEPARENT });
    expect(lines).toMatchObject([{ event: "delivery.attempted", traceparent: TRACEPARENT }]);
  });

  it("has none where nobody gave one", () => {
    const [line] = linesOf({ data: {}, correlation_id: "c" });
    expect(line).toMatchObject({ event: "delivery.attempted", channel: "push" });
    expect(line).not.toHaveProperty("traceparent");
  });
});
