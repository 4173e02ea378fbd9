/** What callers may get wrong or do twice: a precise answer, and nothing queued. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { announcementFor, classCreatedFor, matchingFor, meetingFor, someone } from "./requests.ts";

let product: Product;

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

beforeAll(async () => {
  product = await startProduct();
});

afterAll(async () => {
  await product.stop();
});

async function total(): Promise<unknown> {
  return (await product.call("GET", "/analytics")).body["total_notifications"];
}

describe("a request that cannot be used", () => {
  const user = someone();
  const meeting = meetingFor(user);
  const wrong: [string, unknown, number, string, string?][] = [
    ["no user", { template_id: "announcement" }, 400, "invalid_request", "user_id"],
    ["a user id with a colon", { ...meeting, user_id: "a:b" }, 400, "invalid_request", "user_id"],
    ["an unknown template", { ...meeting, template_id: "nothing" }, 404, "unknown_template"],
    [
      "a template named like a prototype",
      { ...meeting, template_id: "__proto__" },
      404,
      "unknown_template",
    ],
    ["an unknown channel", { ...meeting, channels: ["fax"] }, 400, "invalid_request", "channels.0"],
    ["no channel", { ...meeting, channels: [] }, 400, "invalid_request", "channels"],
    ["an unknown priority", { ...meeting, priority: "medium" }, 400, "invalid_request", "priority"],
    ["data that is a list", { ...meeting, data: [] }, 400, "invalid_request", "data"],
    [
      "a missing data field",
      { ...meeting, data: { student_name: "A" } },
      400,
      "invalid_template_data",
      "data.meeting_date",
    ],
    [
      "a mistyped data field",
      { ...meeting, data: { ...meeting.data, attendees: "all" } },
      400,
      "invalid_template_data",
      "data.attendees",
    ],
    [
      "a date that is none",
      { ...meeting, data: { ...meeting.data, meeting_date: "soon" } },
      400,
      "invalid_template_data",
      "data.meeting_date",
    ],
    [
      "a phone number that is none",
      { ...meeting, phone_number: "070-123" },
      400,
      "invalid_request",
      "phone_number",
    ],
    [
      "an unknown time zone",
      { ...meeting, timezone: "Mars/Base" },
      400,
      "invalid_request",
      "timezone",
    ],
    [
      "a past expires_at",
      { ...meeting, expires_at: "2020-01-01T00:00:00Z" },
      400,
      "invalid_request",
      "expires_at",
    ],
    [
      "sending in two years",
      { ...meeting, send_at: inDays(730) },
      400,
      "invalid_request",
      "send_at",
    ],
    [
      "expiry before sending",
      { ...meeting, send_at: inDays(2), expires_at: inDays(1) },
      400,
      "invalid_date_range",
      "expires_at",
    ],
  ];

  it.each(wrong)("%s", async (_name, body, status, code, path) => {
    const before = await total();
    const answer = await product.call("POST", "/notify", { body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body).toMatchObject({ status, code, request_id: expect.any(String) });
    if (path !== undefined) {
      const errors = answer.body["errors"] as { path: string; message: string }[]; // as documented
      expect(errors.map((error) => error.path)).toContain(path);
    }
    expect(await total()).toBe(before);
  });

  it("malformed, oversized, deeply nested or of another type", async () => {
    const before = await total();
    const post = (raw: string, headers = {}) => product.call("POST", "/notify", { raw, headers });
    expect((await post("{")).body["code"]).toBe("invalid_json");
    const large = JSON.stringify({ ...announcementFor(user), filler: "x".repeat(70_000) });
    expect((await post(large)).body["code"]).toBe("body_too_large");
    const deep = `{"user_id":"u","template_id":"announcement","data":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    expect((await post(deep)).status).toBe(400);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await post("user_id=u", form)).body["code"]).toBe("unsupported_media_type");
    expect(await total()).toBe(before);
  });

  it("without the right to send", async () => {
    const before = await total();
    const send = async (body: unknown, scopes: string[]) =>
      await product.call("POST", "/notify", { body, as: await product.token("caller", scopes) });
    expect((await send(meeting, [])).status).toBe(403);
    expect((await send(meeting, ["analytics:read"])).status).toBe(403);
    expect((await send(meeting, ["notify:send:teacher"])).status).toBe(403);
    const raised = { ...announcementFor(user), priority: "critical" };
    expect((await send(raised, ["notify:send"])).body).toMatchObject({ code: "forbidden" });
    expect((await product.call("POST", "/notify", { body: meeting, as: "" })).status).toBe(401);
    expect((await product.call("POST", "/notify", { body: meeting, as: "nonsense" })).status).toBe(
      401,
    );
    expect(await total()).toBe(before);

    expect((await send(meeting, ["notify:send:iep"])).status).toBe(202);
    expect((await send(raised, ["notify:send", "notify:send:critical"])).status).toBe(202);
    expect(
      (await send(matchingFor(someone(), "+46701234567"), ["notify:send:teacher"])).status,
    ).toBe(202);
  });

  it("is written to the audit trail", async () => {
    const as = await product.token("nosy-caller", []);
    await product.call("POST", "/notify", { body: meeting, as });
    const admin = await product.token("admin", ["admin"]);
    await expect
      .poll(async () => (await product.call("GET", "/audit", { as: admin })).body["entries"])
      .toContainEqual(
        expect.objectContaining({ action: "rejected", code: "forbidden", caller: "nosy-caller" }),
      );
  });
});

describe("the same request again", () => {
  it("with its key gives the same notification", async () => {
    const body = announcementFor(someone());
    const headers = { "idempotency-key": someone("key") };
    const first = await product.call("POST", "/notify", { body, headers });
    const second = await product.call("POST", "/notify", {
      body: { data: body.data, template_id: body.template_id, user_id: body.user_id },
      headers,
    });
    expect(second.status).toBe(202);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(second.body["notification_id"]).toBe(first.body["notification_id"]);
  });

  it("with its key and another body is a conflict", async () => {
    const body = announcementFor(someone());
    const headers = { "idempotency-key": someone("key") };
    await product.call("POST", "/notify", { body, headers });
    const before = await total();
    const other = await product.call("POST", "/notify", {
      body: announcementFor(body.user_id, "Other"),
      headers,
    });
    expect(other.status).toBe(409);
    expect(other.body["code"]).toBe("idempotency_conflict");
    expect(await total()).toBe(before);
  });

  it("with the key of another caller is not the same", async () => {
    const body = announcementFor(someone());
    const headers = { "idempotency-key": someone("key") };
    const mine = await product.call("POST", "/notify", { body, headers });
    const as = await product.token("another-service");
    const theirs = await product.call("POST", "/notify", { body, headers, as });
    expect(theirs.body["notification_id"]).not.toBe(mine.body["notification_id"]);
  });

  it("with its event id gives one notification, whoever sends it", async () => {
    const body = { ...announcementFor(someone()), event_id: someone("event") };
    const first = await product.call("POST", "/notify", { body });
    const as = await product.token("another-service");
    const second = await product.call("POST", "/notify", { body, as });
    expect(second.body["notification_id"]).toBe(first.body["notification_id"]);
    const asAnother = { ...classCreatedFor(body.user_id), event_id: body.event_id };
    const other = await product.call("POST", "/notify", { body: asAnother });
    expect(other.body["code"]).toBe("idempotency_conflict");
    const elsewhere = await product.call("POST", "/notify", {
      body: { ...body, user_id: someone() },
    });
    expect(elsewhere.status).toBe(409);
  });

  it("that waits is answered when the notification settles, each time it is sent", async () => {
    const later = new Date(product.foundation.clock.now() + 1_500).toISOString();
    const body = { ...announcementFor(someone()), send_at: later };
    const headers = { "idempotency-key": someone("key") };
    await product.call("POST", "/notify", { body, headers });
    const wait = (seconds: number) =>
      product.call("POST", "/notify", {
        body,
        headers: { ...headers, prefer: `wait=${seconds}` },
      });
    const answers = await Promise.all([wait(25), wait(30), wait(20)]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(answers.map((answer) => answer.body["status"])).toEqual(["stored", "stored", "stored"]);
  }, 15_000);

  it("sent many times at once still gives one", async () => {
    const body = announcementFor(someone());
    const headers = { "idempotency-key": someone("key") };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => product.call("POST", "/notify", { body, headers })),
    );
    expect(new Set(answers.map((answer) => answer.body["notification_id"])).size).toBe(1);
  });
});

describe("many at once", () => {
  it("each with its own result", async () => {
    const good = someone();
    const key = someone("key");
    const answer = await product.call("POST", "/notify/bulk", {
      body: {
        notifications: [
          announcementFor(good),
          { ...announcementFor(good), template_id: "nothing" },
          "not an object",
          { ...classCreatedFor(good), data: {} },
          { ...announcementFor(good), idempotency_key: key },
          { ...announcementFor(good), idempotency_key: key },
          { ...announcementFor(good), send_at: inDays(1) },
        ],
      },
    });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 4, rejected: 3 });
    const results = answer.body["results"] as Record<string, unknown>[]; // as documented
    expect(results.map((result) => result["index"])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(results[1]).toMatchObject({ problem: { code: "unknown_template" } });
    expect(results[2]).toMatchObject({ problem: { code: "invalid_request" } });
    expect(results[3]).toMatchObject({ problem: { code: "invalid_template_data" } });
    expect(results[4]?.["notification_id"]).toBe(results[5]?.["notification_id"]);
    expect(results[6]).toMatchObject({ status: "scheduled" });
  });

  it("one that is too large by itself is refused, for no socket could take it", async () => {
    const announcement = announcementFor(someone());
    const large = { ...announcement, data: { ...announcement.data, more: "x".repeat(70_000) } };
    const body = { notifications: [large, announcement] };
    const answer = await product.call("POST", "/notify/bulk", { body });
    const results = [{ problem: { code: "body_too_large" } }, { status: "queued" }];
    expect(answer.body).toMatchObject({ accepted: 1, rejected: 1, results });
  });

  it("again with the key of the whole request are the same ones, as they are now", async () => {
    const body = { notifications: [announcementFor(someone()), announcementFor(someone())] };
    const headers = { "idempotency-key": someone("key") };
    const bulk = () => product.call("POST", "/notify/bulk", { body, headers });
    const ids = (answer: Awaited<ReturnType<typeof bulk>>) =>
      (answer.body["results"] as { notification_id: string }[]).map((item) => item.notification_id);
    const first = await bulk();
    await expect
      .poll(async () => (await bulk()).body["results"])
      .toEqual(
        ids(first).map((id, index) => ({
          index,
          notification_id: id,
          status: "stored",
          repeated: true,
        })),
      );
  });

  it("not more than a thousand, nor none", async () => {
    const bulk = (count: number) =>
      product.call("POST", "/notify/bulk", {
        body: { notifications: Array.from({ length: count }, () => announcementFor("u")) },
      });
    expect((await bulk(0)).status).toBe(400);
    expect((await bulk(1_001)).status).toBe(400);
  });
});
