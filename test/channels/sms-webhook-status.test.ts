/** What a gateway says of its messages is believed only if the gateway said it, and just now. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CarrierReport } from "../../src/channels/channel.ts";
import { webhookStatusPath } from "../../src/channels/sms/callback-address.ts";
import { toE164 } from "../../src/channels/sms/phone-number.ts";
import { createCallbackTokens } from "../../src/channels/sms/callback-token.ts";
import { webhookStatusRoutes } from "../../src/channels/sms/webhook-status-routes.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { openServer, problemFrom, type OpenServer } from "../http/open-server.ts";
import { signAsGateway } from "../support/sms-gateway.ts";

const SECRET = "a-secret-that-both-sides-have-0123456789";
const keyspace = createKeyspace({ shards: 4, prefix: "t:" });
const tokens = createCallbackTokens({ sealing: createSealing(Buffer.alloc(32, 1)), keyspace });
const noteId = keyspace.newNoteId("teacher-1");
const TOKEN = tokens.sign({ noteId, sentAt: 5 });
const REPORT = { message_id: noteId, provider_id: "gw-1", status: "delivered" };

let server: OpenServer;
let reports: ({ noteId: string; sentAt: number } & CarrierReport)[];
let optedOut: string[];

beforeAll(async () => {
  server = await openServer(
    webhookStatusRoutes({
      secrets: [SECRET],
      clock: { now: () => Date.now() },
      tokens,
      reports: {
        receive: async (reference, report) => void reports.push({ ...reference, ...report }),
        isOver: async () => reports.some(({ status }) => status === "failed"),
      },
      optOuts: { optOut: async (number) => void optedOut.push(number) },
      toE164,
    }),
  );
});
afterAll(() => server.close());
beforeEach(() => {
  reports = [];
  optedOut = [];
});

const inSeconds = (): number => Math.floor(Date.now() / 1_000);

async function post(
  body: string,
  signature: string | undefined = signAsGateway(SECRET, body, inSeconds()),
  type = "application/json",
  token = TOKEN,
): Promise<Response> {
  return await fetch(server.url + webhookStatusPath(token), {
    method: "POST",
    headers: { "content-type": type, "schoolbell-signature": signature },
    body,
  });
}

describe("a report of a gateway", () => {
  it.each(["queued", "sent", "delivered"])("that a message is %s is taken", async (status) => {
    const body = JSON.stringify({ ...REPORT, status, error: "no_route", more: "ignored" });
    expect((await post(body)).status).toBe(204);
    expect(reports).toEqual([{ noteId, sentAt: 5, messageId: "gw-1", status }]);
  });

  it.each(["undelivered", "failed"])("that a message is %s says why", async (status) => {
    const said = { noteId, sentAt: 5, messageId: "gw-1", status, optedOut: false };
    await post(JSON.stringify({ ...REPORT, status, error: "no_route" }));
    await post(JSON.stringify({ ...REPORT, status }));
    expect(reports).toEqual([
      { ...said, fault: "no_route" },
      { ...said, fault: status },
    ]);
  });

  it("that the person asked for no more keeps their number from more", async () => {
    const refused = { ...REPORT, status: "failed", error: "opted_out", to: "+46701234567" };
    expect((await post(JSON.stringify(refused))).status).toBe(204);
    expect(optedOut).toEqual(["+46701234567"]);
    expect(reports).toMatchObject([{ fault: "opted_out", optedOut: true }]);
    // Said again, it must not undo a START that came since.
    expect((await post(JSON.stringify(refused))).status).toBe(204);
    expect(optedOut).toHaveLength(1);
  });

  it.each([{}, { to: "0701234567" }])(
    "that the person asked for no more, of %j, is not taken: nothing could be put down",
    async (whom) => {
      const refused = { ...REPORT, status: "failed", error: "opted_out", ...whom };
      const response = await post(JSON.stringify(refused));
      expect(response.status).toBe(400);
      expect(await problemFrom(response)).toMatchObject({ errors: [{ path: "to" }] });
      expect([optedOut, reports]).toEqual([[], []]);
    },
  );

  it.each([
    ["another message", () => tokens.sign({ noteId: keyspace.newNoteId("teacher-2"), sentAt: 5 })],
    ["none of ours", () => TOKEN.replace(".5.", ".6.")],
    ["nothing", () => ""],
  ])("that comes to the address of %s is refused", async (_what, token) => {
    const body = JSON.stringify(REPORT);
    const response = await post(body, undefined, undefined, token());
    expect(response.status).toBe(403);
    expect(reports).toEqual([]);
  });

  it("is checked as it came, blanks and all", async () => {
    expect((await post(JSON.stringify(REPORT, null, 2))).status).toBe(204);
    expect(reports).toHaveLength(1);
  });

  it.each<[string, (body: string) => string]>([
    ["unsigned", () => ""],
    ["signed by a stranger", (body) => signAsGateway("a-stranger", body, inSeconds())],
    ["played again later", (body) => signAsGateway(SECRET, body, inSeconds() - 400)],
    ["about something else", () => signAsGateway(SECRET, "{}", inSeconds())],
  ])("that is %s is refused, and nothing else is said", async (_what, sign) => {
    const body = JSON.stringify(REPORT);
    const response = await post(body, sign(body));
    expect(response.status).toBe(403);
    expect(await problemFrom(response)).toMatchObject({ code: "forbidden" });
    expect(reports).toEqual([]);
  });

  it.each([
    ["no JSON", "delivered", 400, "invalid_json"],
    ["without a message", JSON.stringify({ status: "sent" }), 400, "invalid_request"],
    ["in other words", JSON.stringify({ ...REPORT, status: "read" }), 400, "invalid_request"],
    ["with a text for a word", JSON.stringify({ ...REPORT, error: "No!" }), 400, "invalid_request"],
    ["too long", JSON.stringify({ ...REPORT, more: "x".repeat(9_000) }), 413, "body_too_large"],
  ])("that is %s is refused by its fault", async (_what, body, status, code) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await problemFrom(response)).toMatchObject({ code });
    expect(reports).toEqual([]);
  });

  it("comes as JSON only", async () => {
    const body = JSON.stringify(REPORT);
    const signature = signAsGateway(SECRET, body, inSeconds());
    expect((await post(body, signature, "text/plain")).status).toBe(415);
  });
});
