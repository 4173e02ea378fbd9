/** The line in front of an SMS provider: never faster than it sells, in order, what is critical first. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSmsThroughput, type SmsThroughput } from "../../src/channels/sms/throughput.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

/** Segments that go at once after a pause, at this speed. */
const BURST = 4;

let store: TestRedis;
let clock: ManualClock;

const openLine = (segmentsPerSecond: number, provider = "twilio"): SmsThroughput =>
  createSmsThroughput({
    redis: store.redis,
    keyspace: store.keyspace,
    clock,
    provider,
    segmentsPerSecond,
  });

beforeEach(async () => {
  store = await openTestRedis();
  clock = createManualClock();
});
afterEach(() => store.close());

interface Sms {
  readonly noteId: string;
  readonly segments: number;
  readonly isCritical: boolean;
}

const sms = (noteId: string, given: Partial<Sms> = {}): Sms => ({
  noteId,
  segments: 1,
  isCritical: false,
  ...given,
});

/** As the due index does: each comes back when it was told to. What went, and when, in ms from now. */
async function sendAll(
  line: SmsThroughput,
  arrivals: readonly { readonly sms: Sms; readonly atMs: number }[],
): Promise<{ sms: Sms; atMs: number }[]> {
  const start = clock.now();
  const waiting = arrivals.map(({ sms: one, atMs }) => ({ sms: one, at: start + atMs }));
  const sent: { sms: Sms; atMs: number }[] = [];
  while (waiting.length > 0) {
    waiting.sort((one, other) => one.at - other.at);
    const [next] = waiting.splice(0, 1);
    if (next === undefined) break;
    clock.advance(Math.max(0, next.at - clock.now()));
    const until = await line.take(next.sms);
    if (until === undefined) sent.push({ sms: next.sms, atMs: clock.now() - start });
    else waiting.push({ sms: next.sms, at: until });
  }
  return sent;
}

const burst = (count: number, given: Partial<Sms> = {}, prefix = "n") =>
  Array.from({ length: count }, (_item, index) => ({
    sms: sms(`${prefix}${index}`, given),
    atMs: 0,
  }));

describe("a burst of SMS", () => {
  it("goes at the speed that the provider sells, in the order in which it came", async () => {
    const sent = await sendAll(openLine(1), burst(10));
    expect(sent.map(({ sms: { noteId } }) => noteId)).toEqual(
      burst(10).map(({ sms: { noteId } }) => noteId),
    );
    expect(sent.map(({ atMs }) => atMs)).toEqual([
      0, 0, 0, 0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000,
    ]);
  });

  it("after a long pause has saved up no more than at the start, critical or not", async () => {
    const line = openLine(1);
    await sendAll(line, [...burst(2), ...burst(2, { isCritical: true }, "c")]);
    clock.advance(3_600_000);
    const sent = await sendAll(line, burst(6, {}, "m"));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 1_000, 2_000]);
    clock.advance(3_600_000);
    const critical = await sendAll(line, burst(6, { isCritical: true }, "d"));
    expect(critical.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 1_000, 2_000]);
  });

  it("is counted in segments, not in messages", async () => {
    const sent = await sendAll(openLine(1), burst(4, { segments: 2 }));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 2_000, 4_000]);
  });

  it("asks few times: each once when it comes, and once in its turn", async () => {
    let asked = 0;
    const line = openLine(2);
    const counting: SmsThroughput = {
      take: (turn) => {
        asked += 1;
        return line.take(turn);
      },
    };
    await sendAll(counting, burst(100));
    expect(asked).toBeLessThanOrEqual(200);
  });

  it("is not overtaken by who comes later", async () => {
    const later = [{ sms: sms("late"), atMs: 5_500 }];
    const sent = await sendAll(openLine(1), [...burst(10), ...later]);
    expect(sent.at(-1)).toEqual({ sms: sms("late"), atMs: 7_000 });
  });

  it("lets critical ones pass, and is that much later itself", async () => {
    const critical = [0, 1, 2, 3, 4, 5].map((index) => ({
      sms: sms(`c${index}`, { isCritical: true }),
      atMs: 500,
    }));
    const sent = await sendAll(openLine(1), [...burst(10), ...critical]);
    const order = sent.map(({ sms: { noteId } }) => noteId);
    expect(order.join(" ")).toBe("n0 n1 n2 n3 c0 c1 c2 c3 c4 c5 n4 n5 n6 n7 n8 n9");
    // The share that is kept for them goes at once.
    expect(sent.filter(({ atMs }) => atMs === 500)).toHaveLength(BURST);
    expect(sent.at(-1)?.atMs).toBe(12_000);
  });

  it("goes to each provider at a speed of its own", async () => {
    await sendAll(openLine(1), burst(6));
    const other = await sendAll(openLine(20, "webhook"), burst(42));
    expect(other.filter(({ atMs }) => atMs === 0)).toHaveLength(40);
    expect(other.at(-1)?.atMs).toBe(100);
  });

  it("that nobody comes back for does not hold up what comes after it", async () => {
    const line = openLine(1);
    for (const { sms: one } of burst(30)) await line.take(one);
    clock.advance(27_000);
    const [next] = await sendAll(line, [{ sms: sms("next"), atMs: 0 }]);
    expect(next?.atMs).toBe(0);
  });

  it("that waits keeps its places over a pause, and a restart with another speed", async () => {
    const slow = openLine(1);
    for (const { sms: one } of burst(8)) await slow.take(one);
    const sent = await sendAll(openLine(10), [{ sms: sms("n7"), atMs: 0 }]);
    expect(sent[0]?.atMs).toBe(400);
  });

  it("leaves nothing behind but what it goes on with", async () => {
    await sendAll(openLine(1), [...burst(10), ...burst(8, { isCritical: true }, "c")]);
    const keys = await store.redis.keys(`${store.prefix}*`);
    expect(keys.map((key) => key.slice(store.prefix.length))).toEqual(["{sms-line-twilio}:state"]);
  });
});

describe("a clock that is set back by hours", () => {
  it.each([false, true])("holds up nothing that comes then (critical: %s)", async (isCritical) => {
    const early = clock.now();
    const line = openLine(1);
    clock.advance(3 * 3_600_000);
    await sendAll(line, burst(10, { isCritical }));
    // All processes read the time of a Redis that is three hours behind the one before.
    clock = createManualClock(early);
    const sent = await sendAll(openLine(1), burst(3, { isCritical }, "later"));
    expect(sent).toHaveLength(3);
    expect(Math.max(...sent.map(({ atMs }) => atMs))).toBeLessThanOrEqual(10_000);
  });

  it("does not make more of one second than a process sells that is a little behind", async () => {
    await sendAll(openLine(1), burst(10));
    const behind = createManualClock(clock.now() - 5_000);
    clock = behind;
    const sent = await sendAll(openLine(1), burst(2, {}, "later"));
    expect(sent.map(({ atMs }) => atMs)).toEqual([6_000, 7_000]);
  });
});

describe("whatever comes, and whenever", () => {
  const arrival = fc.record({
    segments: fc.integer({ min: 1, max: 3 }),
    isCritical: fc.boolean(),
    atMs: fc.integer({ min: 0, max: 20_000 }),
  });

  it("in any stretch of time no more goes than was sold, and two bursts; all of it goes", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(arrival, { maxLength: 40 }),
        fc.constantFrom(0.5, 1, 7),
        async (arrivals, perSecond) => {
          runs += 1;
          const line = openLine(perSecond, `provider-${runs}`);
          const sent = await sendAll(
            line,
            arrivals.map(({ atMs, ...given }, index) => ({ sms: sms(`n${index}`, given), atMs })),
          );
          expect(sent).toHaveLength(arrivals.length);
          const allowance = 2 * Math.max(BURST, 2 * perSecond);
          for (const [from, first] of sent.entries()) {
            let segments = 0;
            for (const { sms: one, atMs } of sent.slice(from)) {
              segments += one.segments;
              const stretch = ((atMs - first.atMs) / 1_000) * perSecond;
              expect(segments).toBeLessThanOrEqual(stretch + allowance + 0.01);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
