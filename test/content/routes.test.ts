/** The templates as callers find them, and what a preview shows: exactly what would be sent. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { catalogEntrySchema } from "../../src/content/catalog.ts";
import { previewSchema } from "../../src/content/preview.ts";
import { smsSize } from "../../src/content/sms-segments.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { dataFor, MEETING, template, templates, WARNING } from "./fixtures.ts";

let product: Product;
beforeAll(async () => {
  product = await startProduct({ PUBLIC_URL: "https://notify.riverside-school.example/" });
});
afterAll(async () => await product.stop());

const listSchema = z.object({ templates: z.array(catalogEntrySchema) });
const answerSchema = z.object({ template_id: z.string(), previews: z.array(previewSchema) });
const outboxSchema = z.object({
  messages: z.array(z.object({ to: z.string(), text: z.string() })),
});

async function list(scopes: readonly string[]) {
  const as = await product.token("service-1", scopes);
  return listSchema.parse((await product.call("GET", "/templates", { as })).body).templates;
}

async function preview(id: string, body: object) {
  const answer = await product.call("POST", `/templates/${id}/preview`, { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answerSchema.parse(answer.body).previews;
}

describe("GET /templates", () => {
  it("tells of every template what a request needs to know", async () => {
    const all = await list(["notify:send"]);
    expect(all.map((each) => each.template_id)).toEqual(templates.list().map(({ id }) => id));
    expect(all.find((each) => each.template_id === "iep_meeting_reminder")).toMatchObject({
      family: "iep",
      category: "iep",
      priority: "high",
      channels: ["websocket", "push", "sms"],
      sms_when: "always",
      notification_type: "iep_reminder",
      actions: ["open_plan"],
      public_fields: ["meeting_date", "location", "iep_id"],
      locales: [...LOCALES],
    });
    const rules = new Map(all.map((each) => [each.template_id, each.sms_when]));
    expect(rules.get("iep_document_ready")).toBe("if_requested");
    expect(rules.get("announcement")).toBe("if_critical");
  });

  it("gives the schema by which requests are checked", async () => {
    const all = await list(["notify:send"]);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { template_id: id, data_schema: schema } of all) {
      const fits = ajv.compile(schema);
      expect(fits(dataFor(template(id))), `${id}: ${JSON.stringify(fits.errors)}`).toBe(true);
    }
    const meeting = all.find((each) => each.template_id === "iep_meeting_reminder");
    expect(ajv.compile(meeting?.data_schema ?? {})({ student_name: "Alex" })).toBe(false);
  });

  it("lists for a family's token that family alone, and nothing for one that may not send", async () => {
    const families = new Set((await list(["notify:send:iep"])).map(({ family }) => family));
    expect([...families]).toEqual(["iep"]);
    const as = await product.token("teacher-1", []);
    expect((await product.call("GET", "/templates", { as })).status).toBe(403);
  });
});

describe("a preview", () => {
  it("shows every language, each as its people read it", async () => {
    const previews = await preview("iep_meeting_reminder", { data: MEETING });
    expect(previews.map(({ locale }) => locale)).toEqual([...LOCALES]);
    const arabic = previews.find(({ locale }) => locale === "ar");
    expect(arabic).toMatchObject({ dir: "rtl", sms: { encoding: "ucs2" } });
    for (const { sms } of previews) {
      expect(smsSize(sms.text)).toEqual({
        encoding: sms.encoding,
        segments: sms.segments,
        characters: sms.characters,
      });
      expect(sms.text).toContain("https://notify.riverside-school.example/iep/iep_12345");
    }
  });

  it("shows the languages that are asked for, in that order, and times of the zone", async () => {
    const body = { data: MEETING, locales: ["sv-FI", "en-GB", "de"], timezone: "Europe/Stockholm" };
    const previews = await preview("iep_meeting_reminder", body);
    expect(previews.map(({ requested, locale }) => [requested, locale])).toEqual([
      ["sv-FI", "sv"],
      ["en-GB", "en"],
      ["de", "en"],
    ]);
    expect(previews[1]?.body).toContain("15 September 2025 at 16:00");
    expect(await preview("announcement", { data: MESSAGE, locale: "fr" })).toHaveLength(1);
  });

  it("keeps from a lock screen and a phone what only the open tab may show", async () => {
    const [english] = await preview("iep_meeting_reminder", { data: MEETING, locale: "en" });
    expect(english?.title).toContain("Sarah Johnson");
    const open = JSON.stringify({ ...english, title: "", body: "" });
    expect(open).not.toMatch(/Sarah|Johnson/);
  });

  it("counts segments with the typography that is sent", async () => {
    const data = { title: "Today’s “late start” – at nine…", body: "…" };
    const [english] = await preview("announcement", { data, locale: "en" });
    expect(english?.public_body).toBe(data.title);
    expect(english?.sms.text).toContain(`Today's "late start" - at nine...`);
    expect(english?.sms).toMatchObject({ encoding: "gsm7", segments: 1 });
  });

  it("is what then arrives, in the tab and on the phone", async () => {
    const [expected] = await preview("iep_deadline_warning", { data: WARNING, locale: "es" });
    const tab = await connect(product.webSocketUrl, { token: await product.token("anna") });
    await tab.next("connected");
    const request = {
      user_id: "anna",
      template_id: "iep_deadline_warning",
      data: WARNING,
      locale: "es",
      phone_number: "+46701740605",
      strategy: "all",
    };
    await product.notify(request);
    const shown = await tab.nextNotification();
    expect(shown).toMatchObject({ title: expected?.title, body: expected?.body });
    await tab.close();
    const outbox = outboxSchema.parse((await product.call("GET", "/dev/outbox", { as: "" })).body);
    expect(outbox.messages[0]).toEqual({ to: "+46701740605", text: expected?.sms.text });
  });

  it("leaves nothing behind in Redis", async () => {
    const before = await keys();
    await preview("announcement", { data: MESSAGE });
    expect(await keys()).toEqual(before);
  });
});

const MESSAGE = { title: "Good morning", body: "The first bell rings at eight." };

/** All but what a living process writes by itself. */
async function keys(): Promise<string[]> {
  const all = await product.foundation.redis.keys(`${product.store.prefix}*`);
  return all.filter((key) => !/queue-|relay|gateways|processes|providers/.test(key)).sort();
}

describe("a preview that cannot be made", () => {
  it("of a template that is not there is a 404", async () => {
    const answer = await product.call("POST", "/templates/nothing/preview", { body: {} });
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: "unknown_template" });
  });

  it("with wrong data says the same as POST /notify would", async () => {
    const data = { student_name: "Alex", meeting_date: "tomorrow", attendees: [7] };
    const body = { user_id: "anna", template_id: "iep_meeting_reminder", data };
    const sent = await product.call("POST", "/notify", { body });
    const shown = await product.call("POST", "/templates/iep_meeting_reminder/preview", {
      body: { data },
    });
    expect(shown.status).toBe(400);
    expect(shown.body["code"]).toBe("invalid_template_data");
    expect(shown.body["errors"]).toEqual(sent.body["errors"]);
    expect(JSON.stringify(shown.body["errors"])).toContain("data.meeting_date");
  });

  it.each([
    ["a language that is no tag", { locale: "!" }],
    ["no language at all", { locales: [] }],
    ["more languages than there can be", { locales: Array.from({ length: 15 }, () => "en") }],
    ["a zone that does not exist", { timezone: "Europe/Atlantis" }],
    ["data that is no object", { data: [] }],
  ])("for %s is a 400", async (_what, wrong) => {
    const body = { data: MESSAGE, ...wrong };
    const answer = await product.call("POST", "/templates/announcement/preview", { body });
    expect(answer.status).toBe(400);
    expect(answer.body["code"]).toBe("invalid_request");
  });

  it("is refused to whoever could not send it", async () => {
    const as = await product.token("service-1", ["notify:send:iep"]);
    const path = "/templates/announcement/preview";
    const answer = await product.call("POST", path, { body: { data: MESSAGE }, as });
    expect(answer.status).toBe(403);
  });
});
