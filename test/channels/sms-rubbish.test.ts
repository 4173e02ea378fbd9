/** An SMS provider, or what stands in front of it, that answers rubbish: the message may have been taken. */
import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createTwilioSmsChannel } from "../../src/channels/sms/sms-channel-twilio.ts";
import { createWebhookSmsChannel } from "../../src/channels/sms/sms-channel-webhook.ts";
import { createSystemClock } from "../../src/platform/clock.ts";

const ADDRESS = { phoneNumber: "+46701234567" };
const MESSAGE = { noteId: "00aa", text: "The meeting is moved." };
const HEAD = "HTTP/1.1 200 OK\r\n";

let server: Server;
let answer: string;
let requests = 0;
let channels: Record<
  "twilio" | "webhook",
  ReturnType<typeof createTwilioSmsChannel | typeof createWebhookSmsChannel>
>;

function onRequest(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", () => {
    requests += 1;
    socket.end(answer);
  });
}

beforeAll(async () => {
  server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const url = `http://127.0.0.1:${port}`;
  const shared = { clock: createSystemClock() };
  const timeoutMs = 10_000;
  channels = {
    twilio: createTwilioSmsChannel({
      ...shared,
      settings: {
        accountSid: `AC${"0".repeat(32)}`,
        authToken: "token",
        apiUrl: url,
        sender: { from: "+15005550006" },
        timeoutMs,
      },
    }),
    webhook: createWebhookSmsChannel({
      ...shared,
      settings: { url, secrets: ["a-secret-that-both-sides-have-0123456789"], timeoutMs },
    }),
  };
});
afterAll(async () => {
  for (const channel of Object.values(channels)) await channel.close();
  server.close();
});

describe.each(["twilio", "webhook"] as const)("of %s", (name) => {
  it.each([
    ["no HTTP at all", "220 mail.example ESMTP\r\n"],
    ["a length below nothing", `${HEAD}content-length: -5\r\n\r\n{}`],
    ["a head without end", `${HEAD}x: ${"a".repeat(200_000)}\r\n\r\n`],
    ["a change of protocol", "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    ["a head that leads nowhere", "HTTP/1.1 103 Early Hints\r\n\r\n"],
    ["a status that there is not", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"],
    ["the way to somebody else", "HTTP/1.1 308 Moved\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"],
    ["nothing", ""],
  ])("%s leaves it unknown, after one request", async (_what, bytes) => {
    answer = bytes;
    const before = requests;
    expect(await channels[name].send(ADDRESS, MESSAGE)).toMatchObject({ kind: "unknown" });
    expect(requests).toBe(before + 1);
  });
});
