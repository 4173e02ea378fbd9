/** What may become what: no step outside the table, and no way back from the end but a late arrival. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, CHANNEL_STATES, type ChannelState } from "../../src/contract/vocabulary.ts";
import type { ChannelRecord } from "../../src/tracking/note.ts";
import {
  canMove,
  channelStatus,
  isClosed,
  move,
  settledStatus,
  TRANSITIONS,
} from "../../src/tracking/status-machine.ts";

const state = fc.constantFrom(...CHANNEL_STATES);

function record(of: ChannelState): ChannelRecord {
  return { state: of, reason: null, at: 0, confirmedAt: null };
}

describe("the channel transitions", () => {
  it("reach every state from pending, and each says by whom and why", () => {
    const reached = new Set<ChannelState>(["pending"]);
    for (let round = 0; round < CHANNEL_STATES.length; round += 1) {
      for (const { from, to } of TRANSITIONS) if (reached.has(from)) reached.add(to);
    }
    expect([...reached].sort()).toEqual([...CHANNEL_STATES].sort());
    for (const { by, why } of TRANSITIONS) expect(by.length * why.length).toBeGreaterThan(0);
  });

  it("leave a closed state only because somebody says so who knows: the recipient's side, an operator, a carrier", () => {
    fc.assert(
      fc.property(state, state, (from, to) => {
        if (!isClosed(from) || !canMove(from, to)) return;
        const by = TRANSITIONS.find((step) => step.from === from && step.to === to)?.by;
        if (to === "pending") expect(["operator", "provider"]).toContain(by);
        else if (to === "failed") expect(["delivered", "unknown"]).toContain(from);
        else expect(["delivered", "confirmed"]).toContain(to);
      }),
    );
  });

  it("never take back that the recipient's side said so", () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 12 }), (steps) => {
        let current: ChannelState = "pending";
        let reached = false;
        for (const step of steps) {
          if (!canMove(current, step)) continue;
          current = step;
          reached ||= current === "confirmed";
          if (reached) expect(current).toBe("confirmed");
        }
      }),
    );
  });

  it("refuse every step that the table does not have", () => {
    fc.assert(
      fc.property(state, state, (from, to) => {
        const attempt = () => move("push", record(from), to, null, 1);
        if (canMove(from, to)) expect(attempt().state).toBe(to);
        else expect(attempt).toThrow(/cannot go from/);
      }),
    );
  });
});

describe("a settled notification", () => {
  const records = fc.record({ websocket: state, push: state, sms: state });

  it("is delivered exactly if a channel reached the person", () => {
    fc.assert(
      fc.property(records, (states) => {
        const channels = {
          websocket: record(states.websocket),
          push: record(states.push),
          sms: record(states.sms),
        };
        const reached = CHANNELS.some(
          (name) => states[name] === "delivered" || states[name] === "confirmed",
        );
        expect(settledStatus(channels) === "delivered").toBe(reached);
      }),
    );
  });

  it("is not called delivered on the wire where a channel only may have sent it", () => {
    expect(channelStatus(record("unknown"))).toBe("failed");
    expect(channelStatus(record("sent"))).toBe("queued");
  });
});
