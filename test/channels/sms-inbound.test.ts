/** STOP and START as they come in: each counts once, and numbers and texts are kept by nobody. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScriptedChannel } from "../../src/channels/scripted/scripted-channel.ts";
import { guardChannel } from "../../src/channels/breaker/guarded-channel.ts";
import type { SmsAddress } from "../../src/channels/channel.ts";
import { createInbound, type Choice, type TakeInbound } from "../../src/channels/sms/inbound.ts";
import { guardOptOuts } from "../../src/channels/sms/opt-out-guard.ts";
import { createOptOuts, type OptOuts } from "../../src/channels/sms/opt-outs.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createTestBreakers } from "./breaker/test-breakers.ts";

let store: TestRedis;
let optOuts: OptOuts;
let take: TakeInbound;
const choices: Choice[] = [];
const logged: unknown[] = [];
const clock = createManualClock();
let numbers = 0;

beforeAll(async () => {
  store = await openTestRedis();
  const { redis, keyspace } = store;
  optOuts = createOptOuts({ redis, keyspace, clock, sealing: createSealing(Buffer.alloc(32, 7)) });
  take = createInbound({
    redis,
    keyspace,
    clock,
    optOuts,
    logger: { info: (...line: unknown[]) => void logged.push(line) },
    onChoice: async (choice) => void choices.push(choice),
  });
});
afterAll(async () => await store.close());

function newNumber(): string {
  numbers += 1;
  return `+4670123${String(4_000 + numbers)}`;
}
const message = (from: string, text: string, messageId = `SM${Math.random()}`) => ({
  provider: "twilio",
  messageId,
  from,
  text,
});

describe("an answer to a text message", () => {
  it("takes a number off, and puts it back on", async () => {
    const number = newNumber();
    expect(await take(message(number, "Stop."))).toBe("stop");
    expect(await optOuts.isOptedOut(number)).toBe(true);
    expect(await take(message(number, "START"))).toBe("start");
    expect(await optOuts.isOptedOut(number)).toBe(false);
    const about = choices.filter(({ phoneNumber }) => phoneNumber === number);
    expect(about.map(({ keyword }) => keyword)).toEqual(["stop", "start"]);
  });

  it("that is delivered again does not undo what was said after it", async () => {
    const number = newNumber();
    await take(message(number, "STOP", "first"));
    await take(message(number, "START", "second"));
    expect(await take(message(number, "STOP", "first"))).toBe("stop");
    expect(await optOuts.isOptedOut(number)).toBe(false);
    expect(choices.filter(({ phoneNumber }) => phoneNumber === number)).toHaveLength(2);
  });

  it("that comes many times at once is written down once", async () => {
    const number = newNumber();
    const same = message(number, "STOP", "many");
    await Promise.all(Array.from({ length: 10 }, () => take(same)));
    expect(await optOuts.isOptedOut(number)).toBe(true);
    expect(choices.filter(({ phoneNumber }) => phoneNumber === number)).toHaveLength(1);
  });

  it("with an id that another provider uses, too, counts for itself", async () => {
    const number = newNumber();
    await take({ ...message(number, "START", "7"), provider: "webhook" });
    await take({ ...message(number, "STOP", "7"), provider: "twilio" });
    expect(await optOuts.isOptedOut(number)).toBe(true);
  });

  it("counts as its provider took it, in whatever language", async () => {
    const number = newNumber();
    expect(await take({ ...message(number, "ALTO"), keyword: "stop" })).toBe("stop");
    expect(await optOuts.isOptedOut(number)).toBe(true);
  });

  it("finds the number however it is written", async () => {
    const number = newNumber();
    const spaced = `${number.slice(0, 3)} ${number.slice(3, 5)}-${number.slice(5)}`;
    await take(message(spaced, "STOP"));
    expect(await optOuts.isOptedOut(number)).toBe(true);
  });

  it.each([
    ["any other text", "+46701239999", "When is the meeting?", undefined],
    ["a cry for help", "+46701239998", "HELP", "help"],
    ["a sender that is no number", "whatsapp:+46701239997", "STOP", undefined],
    ["a short code", "72404", "STOP", undefined],
  ])("changes nothing if it is %s", async (_what, from, text, answer) => {
    const before = await store.redis.keys(`${store.prefix}*`);
    expect(await take(message(from, text))).toBe(answer);
    expect((await store.redis.keys(`${store.prefix}*`)).sort()).toEqual(before.sort());
  });

  it("is remembered for two days, for as long as a provider may repeat it", async () => {
    await take(message(newNumber(), "STOP", "remembered"));
    const known = await store.redis.keys(`${store.keyspace.plain("sms-in:")}*`);
    const left = await Promise.all(known.map((key) => store.redis.ttl(key)));
    expect(left.length).toBeGreaterThan(0);
    for (const seconds of left) {
      expect(seconds).toBeGreaterThan(86_400);
      expect(seconds).toBeLessThanOrEqual(2 * 86_400);
    }
  });

  it("leaves neither number nor text in logs and keys", async () => {
    const number = newNumber();
    await take(message(number, "STOP"));
    await take(message(number, "My child is ill"));
    const keys = await store.redis.keys(`${store.prefix}*`);
    const seen = JSON.stringify([logged, keys]);
    expect(seen).not.toContain(number.slice(3));
    expect(seen).not.toContain("ill");
  });

  it("counts when it is repeated, where it could not be put down at first", async () => {
    const number = newNumber();
    const { redis, keyspace } = store;
    let away = true;
    const flaky = createInbound({
      redis,
      keyspace,
      clock,
      logger: { info: () => {} },
      onChoice: async () => {},
      optOuts: {
        optIn: (phoneNumber) => optOuts.optIn(phoneNumber),
        async optOut(phoneNumber) {
          if (away) throw new Error("Command timed out");
          await optOuts.optOut(phoneNumber);
        },
      },
    });
    const same = message(number, "STOP", "flaky");
    await expect(flaky(same)).rejects.toThrow("timed out");
    away = false;
    await flaky(same);
    expect(await optOuts.isOptedOut(number)).toBe(true);
  });
});

describe("a message that is in hand when its owner says STOP", () => {
  const asked: string[] = [];
  const open = (looks: Pick<OptOuts, "isOptedOut">) =>
    guardOptOuts(
      guardChannel({
        channel: createScriptedChannel(({ phoneNumber }: SmsAddress) => {
          asked.push(phoneNumber);
          return { kind: "delivered" };
        }),
        breakers: createTestBreakers("sms", clock),
        originOf: () => "twilio",
      }),
      looks,
    );
  const admit = (phoneNumber: string, looks: Pick<OptOuts, "isOptedOut"> = optOuts) => {
    const pass = open(looks).admit({ phoneNumber });
    if (pass.kind === "held") throw new Error("nothing is wrong with the provider");
    return pass;
  };

  it("is not sent", async () => {
    const number = newNumber();
    const pass = admit(number);
    await take(message(number, "STOP"));
    expect(await pass.send({ noteId: "n", text: "t" })).toEqual({
      kind: "opted_out",
      isKnown: true,
    });
    expect(asked).not.toContain(number);
  });

  it("is sent to whoever did not", async () => {
    const number = newNumber();
    expect(await admit(number).send({ noteId: "n", text: "t" })).toEqual({ kind: "delivered" });
    expect(asked).toContain(number);
  });

  it("is tried again, not sent, where nobody can tell", async () => {
    const number = newNumber();
    const pass = admit(number, {
      isOptedOut: () => Promise.reject(new Error("Command timed out")),
    });
    expect(await pass.send({ noteId: "n", text: "t" })).toMatchObject({ kind: "retry" });
    expect(asked).not.toContain(number);
  });
});
