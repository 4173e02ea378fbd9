/** A failed notification through the administrator's eyes: found, understood, sent again, delivered. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { CHANNELS } from "../../src/contract/vocabulary.ts";
import { startProductWithProviders, type ProductWithProviders } from "./product-with-providers.ts";
import { classCreatedFor, meetingFor, someone } from "./requests.ts";

let setup: ProductWithProviders;
let admin: string;
const sent: string[] = [];

beforeAll(async () => {
  setup = await startProductWithProviders({ SMS_LOOKUP_SECONDS: "1" });
  admin = await setup.product.token("boss", ["admin", "analytics:read"]);
});

afterAll(async () => {
  await setup.stop();
});

const pageSchema = z.object({
  entries: z.array(z.looseObject({ notification_id: z.string() })),
  next: z.string().optional(),
});
const word = z.enum(["queued", "delivered", "failed", "skipped", "expired"]);
const detailSchema = z.looseObject({
  status: z.string(),
  channels: z.object({ websocket: word, push: word, sms: word }),
  timeline: z.array(z.looseObject({ channel: z.string().optional(), to: z.string() })),
});

async function notify(body: object): Promise<string> {
  const answer = await setup.product.notify(body);
  const id = z.string().parse(answer.body["notification_id"]);
  sent.push(id);
  return id;
}

async function list(query = "") {
  const answer = await setup.product.call("GET", `/admin/dead-letters${query}`, { as: admin });
  expect(answer.status).toBe(200);
  return pageSchema.parse(answer.body);
}

async function listedIds(query = ""): Promise<string[]> {
  return (await list(query)).entries.map((entry) => entry.notification_id);
}

const redrive = (id: string, body: object = {}) =>
  setup.product.call("POST", `/admin/dead-letters/${id}/redrive`, { as: admin, body });

async function detail(id: string) {
  const answer = await setup.product.call("GET", `/notifications/${id}`, { as: admin });
  return detailSchema.parse(answer.body);
}

async function untilSettled(id: string, status: string): Promise<void> {
  await expect.poll(async () => (await detail(id)).status).toBe(status);
}

/** One whose only browser is refused by its push service. */
async function failedPush() {
  const userId = someone();
  const subscription = await setup.subscribe(userId);
  setup.pushService.script(subscription.endpoint, { status: 400 });
  return { subscription, id: await notify(classCreatedFor(userId)), userId };
}

/** One whose SMS provider took it, never said so, and cannot be asked. */
async function unknownSms(number: string): Promise<string> {
  setup.twilio.script(number, { acceptThenReset: true });
  setup.twilio.scriptLists(() => ({ status: 503 }));
  const id = await notify(meetingFor(someone(), number));
  setup.twilio.script(number, { status: 201 });
  return id;
}

describe("a failed push", () => {
  it("is listed with its reason, and delivered once it is sent again", async () => {
    const { subscription, id, userId } = await failedPush();
    expect((await list("?reason=rejected&template_id=class_created")).entries).toEqual([
      expect.objectContaining({
        notification_id: id,
        user_id: userId,
        caller: "service-under-test",
        channels: { websocket: "skipped", push: "failed", sms: "skipped" },
      }),
    ]);
    const shown = await setup.product.call("GET", `/admin/dead-letters/${id}`, { as: admin });
    expect(shown.body).toMatchObject({ redrivable: ["push"], attempts: { push: 1 } });
    expect(JSON.stringify(shown.body)).not.toContain("7B");

    setup.pushService.script(subscription.endpoint, { status: 201 });
    const answer = await redrive(id);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: "queued", channels: { push: "queued" } });
    await untilSettled(id, "delivered");
    expect(await listedIds()).not.toContain(id);
    expect((await redrive(id)).body).toMatchObject({
      code: "not_redrivable",
      detail: "It is delivered, not failed.",
    });
  });

  it("that fails again is listed again, and tried once more", async () => {
    const { id } = await failedPush();
    await redrive(id);
    await expect.poll(() => listedIds()).toContain(id);
    const shown = await setup.product.call("GET", `/admin/dead-letters/${id}`, { as: admin });
    expect(shown.body).toMatchObject({ attempts: { push: 2 } });
  });
});

describe("an SMS that may have been sent", () => {
  it("is sent again only if it is asked for by name", async () => {
    const number = "+46701234101";
    const id = await unknownSms(number);
    const refused = await redrive(id);
    expect(refused.status).toBe(409);
    expect(refused.body["detail"]).toMatch(/may have been sent by sms/);
    expect((await redrive(id, { channels: ["sms"] })).status).toBe(202);
    await untilSettled(id, "delivered");
    expect(setup.twilio.received.filter(({ to }) => to === number)).toHaveLength(2);
  });
});

describe("what an administrator may ask", () => {
  it("comes in pages", async () => {
    const ids = [await failedPush(), await failedPush(), await failedPush()].map(({ id }) => id);
    const first = await list("?limit=2");
    expect(first.entries).toHaveLength(2);
    const rest = await listedIds(`?limit=500&cursor=${first.next}`);
    const all = [...first.entries.map((entry) => entry.notification_id), ...rest];
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining(ids));
  });

  it.each([
    ["GET", "/admin/dead-letters?cursor=nonsense", 400, "invalid_request"],
    ["GET", "/admin/dead-letters?reason=bad_luck", 400, "invalid_request"],
    ["GET", "/admin/dead-letters/nonsense", 404, "not_found"],
    ["POST", "/admin/dead-letters/nonsense/redrive", 404, "not_found"],
  ])("%s %s is refused with %i", async (method, path, status, code) => {
    const body = method === "POST" ? { body: {} } : {};
    const answer = await setup.product.call(method, path, { as: admin, ...body });
    expect([answer.status, answer.body["code"]]).toEqual([status, code]);
  });

  it("is for administrators alone, and in the audit trail", async () => {
    const { id } = await failedPush();
    for (const [method, path] of [
      ["GET", "/admin/dead-letters"],
      ["GET", `/admin/dead-letters/${id}`],
      ["POST", `/admin/dead-letters/${id}/redrive`],
    ] as const) {
      const body = method === "POST" ? { body: {} } : {};
      expect((await setup.product.call(method, path, body)).status).toBe(403);
    }
    await redrive(id);
    const trail = await setup.product.call("GET", `/audit?notification_id=${id}&action=redriven`, {
      as: admin,
    });
    expect(trail.body["entries"]).toEqual([
      expect.objectContaining({ caller: "boss", channels: "push", result: "queued" }),
    ]);
  });
});

describe("analytics, after all this", () => {
  it("equal a recount of the notifications", async () => {
    const read = async () => await Promise.all(sent.map(detail));
    await expect
      .poll(async () => (await read()).some(({ status }) => status === "queued"))
      .toBe(false);
    const notes = await read();
    const tally = (matches: (note: z.infer<typeof detailSchema>) => boolean): number =>
      notes.filter(matches).length;
    const { body } = await setup.product.call("GET", "/analytics", { as: admin });
    expect(body).toMatchObject({
      total_notifications: notes.length,
      statuses: {
        delivered: tally(({ status }) => status === "delivered"),
        failed: tally(({ status }) => status === "failed"),
      },
      delivery_stats: Object.fromEntries(
        CHANNELS.map((name) => [
          name,
          {
            sent: tally(({ timeline }) =>
              timeline.some(
                ({ channel, to }) => channel === name && ["sending", "sent"].includes(to),
              ),
            ),
            delivered: tally(({ channels }) => channels[name] === "delivered"),
            failed: tally(({ channels }) => channels[name] === "failed"),
          },
        ]).filter(([name]) => name !== "websocket"),
      ),
    });
    expect((await listedIds("?limit=500")).length).toBe(tally(({ status }) => status === "failed"));
  });
});
