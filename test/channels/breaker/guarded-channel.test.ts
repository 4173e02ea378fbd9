/** Both channels behind their breakers, against providers that fail in all the ways they can. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { guardChannel, type Pass } from "../../../src/channels/breaker/guarded-channel.ts";
import { breakerSettings, originOfEndpoint } from "../../../src/channels/breaker/settings.ts";
import type { Outcome } from "../../../src/channels/channel.ts";
import { createTwilioSmsChannel } from "../../../src/channels/sms/sms-channel-twilio.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import type { ScriptedReply } from "../../support/provider-server.ts";
import { startPushService } from "../../support/push-service.ts";
import { startTwilio } from "../../support/twilio.ts";
import { openPushChannel, pushMessage, VAPID } from "../push-fixture.ts";
import { createTestBreakers, TIMEOUT_MS } from "./test-breakers.ts";

/** A provider of the tests' own, and one address there. */
interface Subject {
  /** Leave to send to the address, and the sending itself. */
  admit(): { kind: "held" } | { kind: "admitted"; send(): Promise<Outcome>; release(): void };
  script(reply: ScriptedReply): void;
  /** Requests that the provider has seen. */
  requests(): number;
  /** Resolves when a request that is left to hang has arrived. */
  arrived(): Promise<unknown>;
  readonly failures: number;
  readonly timeoutMs: number;
  close(): Promise<void>;
}

function bind<Message>(pass: Pass<Message>, message: Message): ReturnType<Subject["admit"]> {
  if (pass.kind === "held") return pass;
  return { kind: "admitted", send: () => pass.send(message), release: () => pass.release() };
}

async function openPush(clock: ManualClock): Promise<Subject> {
  const service = await startPushService();
  const channel = openPushChannel([service.origin], { clock });
  const browser = service.subscribe(VAPID.publicKey);
  const guarded = guardChannel({
    channel,
    breakers: createTestBreakers("push", clock),
    originOf: ({ endpoint }) => originOfEndpoint(endpoint),
  });
  return {
    admit: () => bind(guarded.admit(browser), pushMessage()),
    script: (reply) => service.script(browser.endpoint, reply),
    requests: () => service.received.length,
    arrived: () => service.next(),
    failures: breakerSettings("push", TIMEOUT_MS).failures,
    timeoutMs: TIMEOUT_MS,
    async close() {
      await service.close();
      await channel.close();
    },
  };
}

async function openTwilio(clock: ManualClock): Promise<Subject> {
  const service = await startTwilio();
  const channel = createTwilioSmsChannel({
    settings: {
      accountSid: service.accountSid,
      authToken: service.authToken,
      apiUrl: service.url,
      sender: { from: "+15005550001" },
      timeoutMs: TIMEOUT_MS,
    },
    clock,
  });
  const phoneNumber = "+15005550006";
  const guarded = guardChannel({
    channel,
    breakers: createTestBreakers("sms", clock),
    originOf: () => "twilio",
  });
  return {
    admit: () => bind(guarded.admit({ phoneNumber }), { noteId: "note", text: "Hello" }),
    script: (reply) => service.script(phoneNumber, reply),
    requests: () => service.received.length + service.refusals.length,
    arrived: () => service.next(),
    failures: breakerSettings("sms", TIMEOUT_MS).failures,
    timeoutMs: TIMEOUT_MS,
    async close() {
      await service.close();
      await channel.close();
    },
  };
}

describe.each([
  ["push", openPush],
  ["SMS", openTwilio],
])("the %s channel behind its breaker", (_name, open) => {
  let clock: ManualClock;
  let subject: Subject;
  beforeEach(async () => {
    clock = createManualClock(Date.now());
    subject = await open(clock);
  });
  afterEach(() => subject.close());

  /** One request, if it may be made. */
  async function send(): Promise<Outcome["kind"] | "held"> {
    const pass = subject.admit();
    return pass.kind === "held" ? "held" : (await pass.send()).kind;
  }

  async function sendUntilHeld(): Promise<number> {
    for (let sent = 0; sent < 20; sent += 1) if ((await send()) === "held") return sent;
    throw new Error("it is never held");
  }

  it.each<[string, ScriptedReply]>([
    ["answers 500", { status: 500 }],
    ["answers 503", { status: 503 }],
    ["resets connections", { reset: true }],
  ])("leaves a provider alone that %s, and comes back to it", async (_what, reply) => {
    subject.script(reply);
    expect(await sendUntilHeld()).toBe(subject.failures);
    const asked = subject.requests();
    expect(await send()).toBe("held");
    expect(subject.requests()).toBe(asked);

    subject.script({});
    clock.advance(60_000);
    expect(await send()).toBe("delivered");
    expect(await send()).toBe("delivered");
  });

  it("leaves a provider alone that does not answer", async () => {
    subject.script({ hang: true });
    const passes = Array.from({ length: subject.failures }, () => subject.admit());
    const sending = passes.flatMap((pass) => (pass.kind === "held" ? [] : [pass.send()]));
    for (const _ of passes) await subject.arrived();
    clock.advance(subject.timeoutMs);
    await Promise.all(sending);
    expect(await send()).toBe("held");
  });

  it.each([400, 404, 410])("asks on while addresses are answered with %i", async (status) => {
    subject.script({ status });
    for (let count = 0; count < 10; count += 1) expect(await send()).not.toBe("held");
  });

  it("keeps a pause that the provider asks for with 429, in seconds", async () => {
    subject.script({ status: 429, headers: { "retry-after": "7" }, times: 1 });
    expect(await send()).toBe("retry");
    clock.advance(6_999);
    expect(await send()).toBe("held");
    clock.advance(1);
    expect(await send()).toBe("delivered");
  });

  it("keeps a pause that the provider asks for with 429, by a date", async () => {
    const date = new Date(clock.now() + 9_000).toUTCString();
    subject.script({ status: 429, headers: { "retry-after": date }, times: 1 });
    expect(await send()).toBe("retry");
    clock.advance(7_000);
    expect(await send()).toBe("held");
    clock.advance(2_000);
    expect(await send()).toBe("delivered");
  });

  it("does not take 429 without a time for a failure", async () => {
    subject.script({ status: 429 });
    for (let count = 0; count < 10; count += 1) expect(await send()).toBe("retry");
  });

  it("gives leave to the next one where somebody had leave to probe and did not use it", async () => {
    subject.script({ status: 500 });
    await sendUntilHeld();
    subject.script({});
    clock.advance(60_000);
    const probe = subject.admit();
    expect(await send()).toBe("held");
    if (probe.kind === "admitted") probe.release();
    expect(await send()).toBe("delivered");
  });
});

it("gives leave to the next one where a probe ended in a bug of ours", async () => {
  const clock = createManualClock();
  let send = (): Outcome => ({ kind: "retry", detail: "http 500" });
  const guarded = guardChannel({
    channel: { send: async () => send() },
    breakers: createTestBreakers("push", clock),
    originOf: () => "https://push.test",
  });
  const ask = () => guarded.admit("an address");
  for (let pass = ask(); pass.kind === "admitted"; pass = ask()) await pass.send("a message");
  clock.advance(60_000);
  const probe = ask();
  send = () => {
    throw new Error("a bug");
  };
  if (probe.kind === "admitted") await expect(probe.send("a message")).rejects.toThrow("a bug");
  expect(ask()).toMatchObject({ kind: "admitted", isProbe: true });
});
