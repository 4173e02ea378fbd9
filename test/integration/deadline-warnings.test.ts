/** AUTO_DEADLINE_WARNINGS through the front door: a question warns, an answer ends that. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { matchingFor, someone } from "./requests.ts";

const PHONE = "+46701234567";
const FOUR_HOURS_MS = 4 * 3_600_000;
const WARNING = "student_matching_deadline_approaching";

let product: Product;

beforeAll(async () => {
  product = await startProduct({ DUE_POLL_MS: "20", AUTO_DEADLINE_WARNINGS: "true" });
});

afterAll(async () => {
  await product.stop();
});

/** Asks with so much time left until the warning; the answer of the API. */
async function ask(userId: string, untilWarningMs: number) {
  const body = matchingFor(userId, PHONE);
  const deadlineMs = product.foundation.clock.now() + FOUR_HOURS_MS + untilWarningMs;
  const deadline_timestamp = new Date(deadlineMs).toISOString();
  const data = { ...body.data, deadline_timestamp };
  return await product.call("POST", "/notify", { body: { ...body, data } });
}

async function openTab(userId: string) {
  const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
  await tab.next("connected");
  return tab;
}

/** What the trail says of the warnings of this user, the newest first. */
async function trailOf(userId: string) {
  const as = await product.token("boss", ["admin"]);
  const answer = await product.call("GET", `/audit?user_id=${userId}`, { as });
  const entries = answer.body["entries"] as Record<string, unknown>[]; // an API's JSON
  return entries.filter((entry) => entry["template_id"] === WARNING);
}

describe("a question over REST", () => {
  it("is followed by a warning on the open tab", async () => {
    const userId = someone();
    const tab = await openTab(userId);
    const { body } = await ask(userId, 1_500);
    expect(await tab.nextNotification()).toMatchObject({
      notification_id: body["notification_id"],
      type: "student_matching_confirmation_required",
    });
    expect(await tab.nextNotification()).toMatchObject({
      type: WARNING,
      priority: "critical",
      correlation_id: body["notification_id"],
      body: expect.stringContaining("About 4 hours left"),
      data: { batch_id: "batch-456", hours_remaining: 4 },
    });
    await tab.close();
  });

  it("is followed by none once it is answered, and the trail says so", async () => {
    const userId = someone();
    await ask(userId, 3_600_000);
    expect(await trailOf(userId)).toMatchObject([
      { action: "accepted", caller: "deadline-warnings" },
    ]);
    const [scheduled] = await trailOf(userId);
    await product.notify({
      user_id: userId,
      template_id: "batch_students_associated",
      data: { batch_id: "batch-456", student_count: 3 },
    });
    expect(await trailOf(userId)).toMatchObject([
      { action: "settled", result: "cancelled" },
      { action: "accepted" },
    ]);
    const as = await product.token(userId, []);
    const path = `/notifications/${String(scheduled?.["notification_id"])}`;
    expect((await product.call("GET", path, { as })).body).toMatchObject({
      status: "cancelled",
      channels: { websocket: "skipped", push: "skipped", sms: "skipped" },
    });
    // It began nothing any more, so nothing is left to cancel.
    expect((await product.call("DELETE", path, { as })).status).toBe(409);
  });
});

it("is off unless it is turned on", async () => {
  const quiet = await startProduct({}, product.store);
  try {
    const userId = someone();
    const body = matchingFor(userId, PHONE);
    expect((await quiet.notify(body)).status).toBe(200);
    expect(await trailOf(userId)).toEqual([]);
  } finally {
    await quiet.stop();
  }
});
