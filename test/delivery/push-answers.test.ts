/** Over https, through the whole stage: what each answer of a push service means for note and browser. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScriptedReply } from "../support/provider-server.ts";
import { openPushScene, PROVIDER_TIMEOUT_MS, type PushScene } from "./push-scene.ts";

const PERSON = "teacher-1";

let scene: PushScene;

beforeEach(async () => {
  scene = await openPushScene();
});
afterEach(() => scene.close());

interface Row {
  readonly what: string;
  /** The first answer; whatever comes after it is taken. */
  readonly reply: ScriptedReply;
  readonly push: { readonly state: string; readonly reason?: string };
  readonly tries: number;
  readonly kept: boolean;
  readonly alerts?: number;
  /** The second try comes no sooner. */
  readonly waitMs?: number;
}

const status = (code: number, retryAfter?: string): Omit<Row, "push" | "tries" | "kept"> => ({
  what: `${code}${retryAfter === undefined ? "" : `, Retry-After: ${retryAfter}`}`,
  reply: {
    status: code,
    times: 1,
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
  },
});
const TAKEN = { push: { state: "delivered" }, tries: 1, kept: true };
const GONE = { push: { state: "failed", reason: "gone" }, tries: 1, kept: false };
const REFUSED = { push: { state: "failed", reason: "rejected" }, tries: 1, kept: true };
const AGAIN = { push: { state: "delivered" }, tries: 2, kept: true };
const LEFT = { push: { state: "failed", reason: "provider_error" }, kept: true };
/** The tests' clock begins at that second. */
const IN_40_S = new Date(Date.UTC(2026, 8, 1, 8, 0, 40)).toUTCString();

const ROWS: readonly Row[] = [
  { ...status(200), ...TAKEN },
  { ...status(201), ...TAKEN },
  { ...status(202), ...TAKEN },
  { ...status(204), ...TAKEN },
  { ...status(301), ...REFUSED },
  { ...status(307), ...REFUSED },
  { ...status(400), ...REFUSED },
  { ...status(401), ...REFUSED, alerts: 1 },
  { ...status(403), ...REFUSED, alerts: 1 },
  { ...status(404), ...GONE },
  { ...status(406, "30"), ...AGAIN, waitMs: 30_000 },
  { ...status(408), ...AGAIN },
  { ...status(410), ...GONE },
  { ...status(413), ...REFUSED },
  { ...status(429), ...AGAIN },
  { ...status(429, "30"), ...AGAIN, waitMs: 30_000 },
  { ...status(429, IN_40_S), ...AGAIN, waitMs: 39_000 },
  { ...status(429, "0"), ...AGAIN },
  { ...status(429, "soon"), ...AGAIN },
  { ...status(429, "60"), ...AGAIN, waitMs: 60_000 },
  // An SMS is sooner.
  { ...status(429, "61"), ...LEFT, tries: 1 },
  { ...status(429, "86400"), ...LEFT, tries: 1 },
  { ...status(500), ...AGAIN },
  { ...status(502), ...AGAIN },
  { ...status(503), ...AGAIN },
  { ...status(503, "20"), ...AGAIN, waitMs: 20_000 },
  { ...status(504), ...AGAIN },
  { what: "a reset connection", reply: { reset: true, times: 1 }, ...AGAIN },
  { what: "taken, then a reset", reply: { acceptThenReset: true, times: 1 }, ...AGAIN },
  { what: "201 and half a body", reply: { cutBody: true, times: 1 }, ...TAKEN },
];

describe("a push service that answers with", () => {
  it.each(ROWS)("$what", async (row) => {
    const endpoint = await scene.subscribe(PERSON);
    scene.service.script(endpoint, row.reply);
    const [note] = await scene.settle([await scene.note(PERSON)]);
    expect(note?.channels.push).toMatchObject(row.push);
    // What did not reach the browser goes on to the phone.
    const delivered = row.push.state === "delivered";
    expect(note?.stage).toBe(delivered ? null : "sms");
    expect(scene.requests).toHaveLength(row.tries);
    expect(await scene.endpointsOf(PERSON)).toEqual(row.kept ? [endpoint] : []);
    expect(scene.alerts).toHaveLength(row.alerts ?? 0);
    const [first, second] = scene.requests;
    const waited = (second?.at ?? 0) - (first?.at ?? 0);
    if (second !== undefined) expect(waited).toBeGreaterThanOrEqual(row.waitMs ?? 500);
  });
});

describe("a push service that", () => {
  it("says nothing is asked again, after its deadline", async () => {
    const endpoint = await scene.subscribe(PERSON);
    scene.service.script(endpoint, { hang: true, times: 1 });
    const note = await scene.note(PERSON);
    const working = scene.work();
    await scene.service.next();
    scene.book.clock.advance(PROVIDER_TIMEOUT_MS);
    await working;
    const [settled] = await scene.settle([note]);
    expect(settled?.channels.push.state).toBe("delivered");
    expect(scene.requests).toHaveLength(2);
  });

  it.each([
    ["1800", 1_800_000],
    // Read as an hour: what is told after a day is told too late.
    ["86400", 3_600_000],
  ])("asks for %s s is left alone for as long, where no SMS may follow", async (asked, waitMs) => {
    const endpoint = await scene.subscribe(PERSON);
    const headers = { "retry-after": asked };
    scene.service.script(endpoint, { status: 429, headers, times: 1 });
    const note = await scene.note(PERSON, { sms: "shut" });
    await scene.work();
    scene.book.clock.advance(waitMs - 1_000);
    await scene.work();
    expect(scene.requests).toHaveLength(1);
    const [settled] = await scene.settle([note]);
    expect(settled?.channels.push.state).toBe("delivered");
    expect(scene.requests).toHaveLength(2);
  });

  it("fails for good is given up, and the browser keeps its subscription", async () => {
    const endpoint = await scene.subscribe(PERSON);
    scene.service.script(endpoint, { status: 500 });
    const [note] = await scene.settle([await scene.note(PERSON)]);
    expect(note?.channels.push).toMatchObject({ state: "failed", reason: "provider_error" });
    expect(note?.stage).toBe("sms");
    expect(await scene.endpointsOf(PERSON)).toEqual([endpoint]);
    // The breaker opens at the fifth failure, so that no more than its probes are sent after it.
    expect(scene.requests.length).toBeLessThanOrEqual(11);
  });

  it("refused one browser's message for good is not asked about it again for another's sake", async () => {
    const [refused, slow] = [await scene.subscribe(PERSON), await scene.subscribe(PERSON)];
    scene.service.script(refused, { status: 400 });
    scene.service.script(slow, { status: 503, times: 2 });
    const [note] = await scene.settle([await scene.note(PERSON)]);
    expect(note?.channels.push.state).toBe("delivered");
    expect(scene.requests.filter(({ endpoint }) => endpoint === refused)).toHaveLength(1);
    expect(scene.requests.filter(({ endpoint }) => endpoint === slow)).toHaveLength(3);
  });

  it("cannot prove who it is gets nothing", async () => {
    const stranger = await openPushScene({ trusted: false });
    await stranger.subscribe(PERSON);
    const [note] = await stranger.settle([await stranger.note(PERSON)]);
    expect(note?.channels.push).toMatchObject({ state: "failed", reason: "provider_error" });
    expect(stranger.requests).toEqual([]);
    await stranger.close();
  });
});

describe("of a person's browsers", () => {
  it("one that takes the push is enough, and only the dead one is forgotten", async () => {
    const [dead, refusing, alive] = [
      await scene.subscribe(PERSON),
      await scene.subscribe(PERSON),
      await scene.subscribe(PERSON),
    ];
    scene.service.script(dead, { status: 410 });
    scene.service.script(refusing, { status: 403 });
    const [note] = await scene.settle([await scene.note(PERSON)]);
    expect(note?.status).toBe("delivered");
    expect((await scene.endpointsOf(PERSON)).toSorted()).toEqual([refusing, alive].toSorted());
  });
});
