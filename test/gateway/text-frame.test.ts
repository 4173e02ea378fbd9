/** Frames that the gateway lays out itself, as a WebSocket client reads them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { encodeTextFrame, encodeTextFrames } from "../../src/gateway/text-frame.ts";

const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();
let stream: Duplex;
let client: WebSocket;
const received: string[] = [];

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is never a pipe's name.
  const { port } = server.address() as AddressInfo;
  const opened = new Promise<Duplex>((resolve) => {
    server.on("upgrade", (request, socket, head) => {
      upgrades.handleUpgrade(request, socket, head, () => resolve(socket));
    });
  });
  client = new WebSocket(`ws://127.0.0.1:${port}`);
  client.on("message", (data: Buffer) => received.push(data.toString("utf8")));
  stream = await opened;
});
afterAll(async () => {
  client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** Around each length at which the header changes its form, and in letters of several bytes. */
const TEXTS = [
  "",
  "é",
  ...[125, 126, 127, 65_535, 65_536].map((length) => "x".repeat(length)),
  ...[62, 63, 64, 32_767, 32_768].map((length) => "ö".repeat(length)),
  "你好 مرحبا 👋".repeat(5_000),
];

describe("text of any length, in any script", () => {
  it.each([
    ["frame by frame", () => TEXTS.map(encodeTextFrame)],
    ["all in one piece", () => [encodeTextFrames(TEXTS)]],
  ])("arrives as it was sent (%s)", async (_how, layOut) => {
    received.length = 0;
    for (const bytes of layOut()) stream.write(bytes);
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(TEXTS.length);
    expect(received).toEqual(TEXTS);
  });
});
