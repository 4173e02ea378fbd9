/** What a gateway says of its messages is believed only if the gateway said it, and just now. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  WEBHOOK_STATUS_PATH,
  webhookStatusRoutes,
  type GatewayReport,
} from "../../src/channels/sms/webhook-status-routes.ts";
import { openServer, problemFrom, type OpenServer } from "../http/open-server.ts";
import { signAsGateway } from "../support/sms-gateway.ts";

const SECRET = "a-secret-that-both-sides-have-0123456789";
const REPORT = { message_id: "00aa", provider_id: "gw-1", status: "delivered" };

let server: OpenServer;
let reports: GatewayReport[];

beforeAll(async () => {
  server = await openServer(
    webhookStatusRoutes({
      secrets: [SECRET],
      clock: { now: () => Date.now() },
      onReport: async (report) => {
        reports.push(report);
      },
    }),
  );
});
afterAll(() => server.close());
beforeEach(() => {
  reports = [];
});

const inSeconds = (): number => Math.floor(Date.now() / 1_000);

async function post(
  body: string,
  signature: string | undefined = signAsGateway(SECRET, body, inSeconds()),
  type = "application/json",
): Promise<Response> {
  return await fetch(server.url + WEBHOOK_STATUS_PATH, {
    method: "POST",
    headers: { "content-type": type, "schoolbell-signature": signature },
    body,
  });
}

describe("a report of a gateway", () => {
  it.each(["queued", "sent", "delivered", "undelivered", "failed"])(
    "that a message is %s is taken",
    async (status) => {
      const body = JSON.stringify({ ...REPORT, status, error: "no_route", more: "ignored" });
      expect((await post(body)).status).toBe(204);
      expect(reports).toEqual([{ noteId: "00aa", providerId: "gw-1", status, error: "no_route" }]);
    },
  );

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
