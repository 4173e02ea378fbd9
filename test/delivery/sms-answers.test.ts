/** Through the whole stage: what each answer of Twilio means for a notification and for its number. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TwilioReply } from "../support/twilio.ts";
import { openSmsScene, PHONE, type SmsScene } from "./sms-scene.ts";

const MINUTE_MS = 60_000;

let scene: SmsScene;
beforeEach(async () => {
  scene = await openSmsScene();
});
afterEach(() => scene.close());

interface Row {
  readonly what: string;
  /** The first answer; whatever comes after it is taken. */
  readonly reply: Omit<TwilioReply, "times">;
  /** Right after the first answer. */
  readonly at: { readonly state: string; readonly reason: string | null };
  /** After an hour. */
  readonly end: { readonly state: string; readonly reason: string | null };
  /** Requests in that hour. */
  readonly tries: number;
  readonly suppressed?: true;
}

const TAKEN = { state: "delivered", reason: null };
const REFUSED = { state: "failed", reason: "rejected" };
const AGAIN = { state: "pending", reason: "provider_error" };
const IN_DOUBT = { state: "sending", reason: "unknown" };
const UNKNOWN = { state: "unknown", reason: "unknown" };

const refused = (status: number, code: number): Row => ({
  what: `${status}, ${code}`,
  reply: { status, code },
  at: REFUSED,
  end: REFUSED,
  tries: 1,
});
const again = (what: string, reply: Row["reply"]): Row => ({
  what,
  reply,
  at: AGAIN,
  end: TAKEN,
  tries: 2,
});
const doubt = (what: string, reply: Row["reply"], end: Row["end"] = UNKNOWN): Row => ({
  what,
  reply,
  at: IN_DOUBT,
  end,
  tries: 1,
});

const ROWS: readonly Row[] = [
  { what: "201", reply: {}, at: TAKEN, end: TAKEN, tries: 1 },
  { what: "201 and half a body", reply: { cutBody: true }, at: TAKEN, end: TAKEN, tries: 1 },
  refused(400, 21_211),
  refused(400, 21_614),
  refused(400, 21_635),
  refused(400, 21_602),
  refused(404, 20_404),
  {
    what: "400, 21610",
    reply: { status: 400, code: 21_610 },
    at: { state: "skipped", reason: "opted_out" },
    end: { state: "skipped", reason: "opted_out" },
    tries: 1,
    suppressed: true,
  },
  again("429, 20429", { status: 429, code: 20_429 }),
  again("429, Retry-After: 30", {
    status: 429,
    code: 20_429,
    headers: { "retry-after": "30" },
  }),
  again("401, 20003", { status: 401, code: 20_003 }),
  doubt("302", { status: 302 }),
  doubt("408", { status: 408 }),
  doubt("500", { status: 500 }),
  doubt("502", { status: 502 }),
  doubt("503, Retry-After: 1", { status: 503, headers: { "retry-after": "1" } }),
  doubt("a reset before it was taken", { reset: true }),
  doubt("accepted, and the answer never came", { acceptThenReset: true }, TAKEN),
];

it.each(ROWS)("$what", async ({ reply, at, end, tries, suppressed = false }) => {
  scene.twilio.script(PHONE, { ...reply, times: 1 });
  const note = await scene.note();
  await scene.work();
  expect((await scene.book.read(note.id)).channels.sms).toMatchObject(at);

  await scene.pass(61 * MINUTE_MS);
  expect((await scene.book.read(note.id)).channels.sms).toMatchObject(end);
  expect(await scene.book.ledger.depth()).toBe(0);
  const { received, refusals } = scene.twilio;
  // What was reset before it was taken is in neither.
  const unseen = reply.reset === true ? 1 : 0;
  expect(received.length + refusals.length + unseen).toBe(tries);
  expect(received.length).toBeLessThanOrEqual(1);
  expect(scene.optedOut).toEqual(suppressed ? [PHONE] : []);
});
