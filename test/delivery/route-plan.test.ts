/** What a stage does with a note: never twice what must be once, never against the person's wish. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, CHANNEL_STATES, PRIORITIES, STATUSES } from "../../src/contract/vocabulary.ts";
import { closeChannel, expire, finish } from "../../src/delivery/note-steps.ts";
import { preferencesSchema } from "../../src/delivery/preferences.ts";
import { planStage, type PlanContext } from "../../src/delivery/route-plan.ts";
import { afterChange } from "../../src/tracking/ledger-changes.ts";
import { isClosed, isSettled } from "../../src/tracking/status-machine.ts";
import { note } from "./notes.ts";

const NOW = 1_000_000;
const ENABLED = { websocket: true, push: true, sms: true };

function context(changes: Partial<PlanContext> = {}): PlanContext {
  return {
    stage: "websocket",
    attempt: 0,
    preferences: preferencesSchema.parse({}),
    enabled: ENABLED,
    now: NOW,
    ...changes,
  };
}

describe("a stage", () => {
  it("drops what is settled, moved on, tried again since, or in other hands", () => {
    const states = fc.record({
      websocket: fc.constantFrom(...CHANNEL_STATES),
      push: fc.constantFrom(...CHANNEL_STATES),
      sms: fc.constantFrom(...CHANNEL_STATES),
    });
    fc.assert(
      fc.property(
        states,
        fc.constantFrom(...STATUSES),
        fc.constantFrom(...CHANNELS),
        fc.constantFrom(...CHANNELS),
        fc.nat({ max: 2 }),
        fc.nat({ max: 2 }),
        (channelStates, status, at, asked, attempt, askedAttempt) => {
          const subject = note({ status, stage: at, attempt }, channelStates);
          const plan = planStage(subject, context({ stage: asked, attempt: askedAttempt }));
          if (isSettled(status) || at !== asked || attempt !== askedAttempt) {
            expect(plan.act).toBe("drop");
          }
          // Sending is only ever begun from a channel that is open.
          if (plan.act === "send") expect(isClosed(channelStates[asked])).toBe(false);
        },
      ),
    );
  });

  it("never sends an SMS that was begun, but looks whether it was sent", () => {
    const begun = note(
      { stage: "sms", leasedUntil: NOW - 1 },
      { websocket: "skipped", push: "skipped", sms: "sending" },
    );
    expect(planStage(begun, context({ stage: "sms" }))).toEqual({ act: "look" });
    const inHand = { ...begun, leasedUntil: NOW + 1 };
    expect(planStage(inHand, context({ stage: "sms" }))).toEqual({ act: "drop" });
  });

  it("takes up a push whose worker died, once its time is over", () => {
    const begun = note(
      { stage: "push", leasedUntil: NOW - 1 },
      { websocket: "skipped", push: "sending" },
    );
    expect(planStage(begun, context({ stage: "push" }))).toEqual({ act: "send" });
    expect(planStage({ ...begun, leasedUntil: NOW + 1 }, context({ stage: "push" })).act).toBe(
      "drop",
    );
  });

  it("leaves no channel open where a page was reached while the push's worker was dead", () => {
    const begun = note(
      { stage: "push", leasedUntil: NOW - 1 },
      { websocket: "delivered", push: "sending" },
    );
    expect(planStage(begun, context({ stage: "push" }))).toEqual({ act: "maybe_sent" });
    const closing = { channel: "push", to: "unknown", reason: "unknown" } as const;
    const change = closeChannel(begun, { ...closing, now: NOW, handOverAt: NOW });
    const { status, channels } = afterChange(change);
    expect(status).toBe("delivered");
    expect(CHANNELS.filter((name) => !isClosed(channels[name].state))).toEqual([]);
  });

  it("stops when somebody was reached in the meantime, unless all channels are wanted", () => {
    const reached = note({ stage: "push" }, { websocket: "delivered" });
    expect(planStage(reached, context({ stage: "push" }))).toEqual({ act: "finish" });
    const all = { ...reached, strategy: "all" as const };
    expect(planStage(all, context({ stage: "push" }))).toEqual({ act: "send" });
  });

  it("sends no SMS that the person turned off, whatever its priority", () => {
    const preferences = preferencesSchema.parse({ channels: { sms: false } });
    for (const priority of PRIORITIES) {
      const subject = note({ stage: "sms", priority }, { websocket: "skipped", push: "skipped" });
      const plan = planStage(subject, context({ stage: "sms", preferences }));
      expect(plan).toEqual({ act: "skip", reason: "preference" });
    }
  });
});

describe("closing a channel", () => {
  const to = fc.constantFrom("delivered", "failed", "skipped", "unknown");
  const eligible = fc.record({ push: fc.boolean(), sms: fc.boolean() });

  it("goes on to each open channel in turn and then settles, with every channel closed", () => {
    fc.assert(
      fc.property(
        fc.array(to, { minLength: 3, maxLength: 3 }),
        eligible,
        fc.constantFrom("fallback", "all"),
        (outcomes, open, strategy) => {
          let subject = note(
            { strategy },
            { push: open.push ? "pending" : "skipped", sms: open.sms ? "pending" : "skipped" },
          );
          const tried: string[] = [];
          while (subject.stage !== null) {
            const channel = subject.stage;
            const outcome = outcomes[tried.length] ?? "skipped";
            tried.push(channel);
            const inFlight = channel === "websocket" ? "sent" : "sending";
            // A channel that is skipped was not begun.
            const before = outcome === "skipped" ? "pending" : inFlight;
            const possible = channel === "websocket" && outcome === "unknown" ? "failed" : outcome;
            const current = { ...subject.channels[channel], state: before } as const;
            const change = closeChannel(
              { ...subject, channels: { ...subject.channels, [channel]: current } },
              { channel, to: possible, reason: null, now: NOW, handOverAt: NOW + 1 },
            );
            expect(Object.keys(change.channels ?? {})).toContain(channel);
            subject = afterChange(change);
          }
          expect(new Set(tried).size).toBe(tried.length);
          expect(isSettled(subject.status)).toBe(true);
          for (const name of CHANNELS) expect(isClosed(subject.channels[name].state)).toBe(true);
          if (strategy === "fallback") {
            const delivered = CHANNELS.filter(
              (name) => subject.channels[name].state === "delivered",
            );
            expect(delivered.length).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  it("by expiry leaves nothing open and says so", () => {
    const expired = afterChange(expire(note({}, { websocket: "skipped" }), NOW));
    expect(expired.status).toBe("expired");
    expect(expired.channels.sms.state).toBe("expired");
  });

  it("by a receipt goes on to the rest where all channels are wanted", () => {
    const early = note(
      { stage: "push", strategy: "all" },
      { websocket: "skipped", push: "confirmed" },
    );
    expect(planStage(early, context({ stage: "push" }))).toEqual({ act: "finish" });
    expect(afterChange(finish(early, NOW, NOW + 1))).toMatchObject({
      status: "queued",
      stage: "sms",
    });
  });

  it("because somebody was reached marks the rest as not needed", () => {
    const done = afterChange(
      finish(note({ stage: "push" }, { websocket: "delivered" }), NOW, NOW + 1),
    );
    expect(done.status).toBe("delivered");
    expect(done.channels.push).toMatchObject({ state: "skipped", reason: "not_needed" });
  });
});
