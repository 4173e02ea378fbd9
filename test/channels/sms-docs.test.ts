/** docs/SMS.md has somebody write a gateway in an hour: its example is run, and takes our messages. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createWebhookSmsChannel } from "../../src/channels/sms/sms-channel-webhook.ts";
import { createSystemClock } from "../../src/platform/clock.ts";

const SECRET = "a-secret-that-both-sides-have-0123456789";
const ADDRESS = { phoneNumber: "+46701234567" };
const SEND = "let sent = 0;\nconst send = async () => `theirs-${(sent += 1)}`;\n";
const TELL = '.listen(0, "127.0.0.1", function () { process.send(this.address().port); });';

let folder: string;
let child: ChildProcess;
let url: string;

beforeAll(async () => {
  const page = await readFile(new URL("../../docs/SMS.md", import.meta.url), "utf8");
  const [, example = ""] = /```js\n(.*?)```/s.exec(page) ?? [];
  folder = await mkdtemp(join(tmpdir(), "sms-gateway-"));
  const file = join(folder, "gateway.mjs");
  await writeFile(file, SEND + example.replace(".listen(4020);", TELL));
  child = fork(file, { env: { ...process.env, SMS_WEBHOOK_SECRET: SECRET } });
  const port = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => reject(new Error("the example does not run")));
  });
  url = `http://127.0.0.1:${z.number().parse(port)}/messages`;
});
afterAll(async () => {
  child.kill();
  await rm(folder, { recursive: true });
});

const open = (secret: string): ReturnType<typeof createWebhookSmsChannel> =>
  createWebhookSmsChannel({
    settings: { url, secrets: [secret], timeoutMs: 10_000 },
    clock: createSystemClock(),
  });

describe("the gateway in docs/SMS.md", () => {
  it("takes a message, and the same one not twice", async () => {
    const channel = open(SECRET);
    const message = { noteId: "note-1", text: "Hej 🎒" };
    const taken = { kind: "delivered", providerId: "theirs-1" };
    expect(await channel.send(ADDRESS, message)).toEqual(taken);
    expect(await channel.send(ADDRESS, message)).toEqual(taken);
    const other = await channel.send(ADDRESS, { ...message, noteId: "note-2" });
    expect(other).toEqual({ kind: "delivered", providerId: "theirs-2" });
    await channel.close();
  });

  it("takes none from a stranger", async () => {
    const channel = open("another-secret-that-the-gateway-has-not");
    const outcome = await channel.send(ADDRESS, { noteId: "note-3", text: "Hej" });
    expect(outcome).toEqual({ kind: "retry", detail: "http 401, bad_signature" });
    await channel.close();
  });
});
