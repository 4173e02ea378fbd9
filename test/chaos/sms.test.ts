/** The process dies while it sends an SMS: the provider takes one at most, and no loss is hidden. */
import { describe, expect, it } from "vitest";
import { becomes, BEFORE_AND_AFTER, queued, taken } from "./kill-points.ts";
import { emergency } from "./requests.ts";
import type { Moment } from "./scene.ts";
import { useScene } from "./use-scene.ts";

const scene = useScene();
let lastNumber = 46_701_234_000;

function newNumber(): string {
  lastNumber += 1;
  return `+${lastNumber}`;
}

async function textThrough(moment: Moment, phoneNumber: string) {
  const body = emergency(scene().newUser(), { phone_number: phoneNumber });
  const id = await scene().sendThroughKills(body, moment);
  return await scene().settled(id);
}

async function expectSent(moment: Moment, phoneNumber = newNumber()): Promise<void> {
  const note = await textThrough(moment, phoneNumber);
  expect(note.channels.sms).toBe("delivered");
  expect(scene().textsTo(phoneNumber)).toBe(1);
}

/** It may have been sent, and cannot be found: the caller is told so, and nobody is rung. */
async function expectUnknown(moment: Moment, phoneNumber = newNumber()): Promise<void> {
  const note = await textThrough(moment, phoneNumber);
  expect(note.status).toBe("failed");
  expect(note.channels.sms).toBe("failed");
  expect(note.channel_details.sms.reason).toBe("unknown");
  expect(scene().textsTo(phoneNumber)).toBe(0);
}

describe.each(BEFORE_AND_AFTER)("killed just %s", (when) => {
  it.each([
    ["the note is queued for SMS", queued("sms-urgent")],
    ["its envelope is taken", taken("sms-urgent")],
  ] as const)("%s, one is sent", async (_step, point) => {
    await expectSent(point(when));
  });
});

it("killed just before it is claimed, one is sent", async () => {
  await expectSent(becomes("sms", "sending")("before"));
});

it("killed just after it is claimed, none is sent, as one may have been", async () => {
  await expectUnknown(becomes("sms", "sending")("after"));
});

it("killed while the provider has the request, it is found there, and no second one is sent", async () => {
  const phoneNumber = newNumber();
  await expectSent(scene().textInFlight(phoneNumber), phoneNumber);
});

it("killed just before it is settled, no second one is sent", async () => {
  await expectSent(becomes("sms", "delivered")("before"));
});

it("killed just after it is settled, it stays delivered", async () => {
  await expectSent(becomes("sms", "delivered")("after"));
});

it("killed just before a refusal is noted, none is sent, as one may have been", async () => {
  const phoneNumber = newNumber();
  scene().twilio.script(phoneNumber, { status: 429, times: 1 });
  await expectUnknown(becomes("sms", "pending")("before"), phoneNumber);
});

it("killed just after a refusal is noted, one is sent", async () => {
  const phoneNumber = newNumber();
  scene().twilio.script(phoneNumber, { status: 429, times: 1 });
  await expectSent(becomes("sms", "pending")("after"), phoneNumber);
});

it("whatever was killed, each notification was settled and counted once", async () => {
  await scene().settle();
});
