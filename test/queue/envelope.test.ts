/** Envelopes hold every note once, in order, and never more than their stage allows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, LANES } from "../../src/contract/vocabulary.ts";
import { ENVELOPE_SIZE, parseEnvelope, toEnvelopes } from "../../src/queue/envelope.ts";
import { queueNameOf, STAGE_QUEUES } from "../../src/queue/lanes.ts";

const stage = fc.constantFrom(...CHANNELS);
const items = fc.array(fc.record({ id: fc.uuid(), attempt: fc.nat({ max: 9 }) }), {
  maxLength: 350,
});

describe("envelopes", () => {
  it("give back what was put in, in order", () => {
    fc.assert(
      fc.property(stage, items, (name, list) => {
        const envelopes = toEnvelopes(name, list);
        const overTheWire = envelopes.map((envelope) => JSON.parse(JSON.stringify(envelope)));
        expect(overTheWire.flatMap(parseEnvelope)).toEqual(list);
        for (const envelope of envelopes) {
          expect(envelope.items.length).toBeLessThanOrEqual(ENVELOPE_SIZE[name]);
        }
        expect(envelopes.length).toBe(Math.ceil(list.length / ENVELOPE_SIZE[name]));
      }),
    );
  });

  it.each([[null], [{}], [{ items: [] }], [{ items: [["id"]] }], [{ items: [["id", -1]] }]])(
    "refuse a job that is none: %j",
    (data) => {
      expect(() => parseEnvelope(data)).toThrow();
    },
  );
});

describe("queues", () => {
  it("exist for every stage, lane and shard, and one user has just one", () => {
    const names = new Set(STAGE_QUEUES.map((queue) => queue.name));
    const shard = fc.nat({ max: 255 });
    fc.assert(
      fc.property(stage, fc.constantFrom(...LANES), shard, (name, lane, of) => {
        expect(names).toContain(queueNameOf(name, lane, of));
        expect(queueNameOf(name, lane, of)).not.toContain(":");
      }),
    );
    for (const queue of STAGE_QUEUES) {
      const ordered = queue.stage === "websocket" && queue.lane !== "urgent";
      expect(queue.ordered).toBe(ordered);
      if (ordered) expect(queue.concurrency).toBe(1);
    }
  });
});
