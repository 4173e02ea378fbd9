/** How the server stops: nothing new, what is in flight finishes, nothing holds it up for ever. */
import { connect } from "node:net";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { listen } from "../../src/http/server.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

/** Answers only when told to. */
function createHeldApp() {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const app: RequestListener = (_req, res) => {
    arrived.resolve();
    void released.promise.then(() => res.end("done"));
  };
  return { app, arrived: arrived.promise, release: released.resolve };
}

describe("a server", () => {
  it("says which port it got, and that a taken one is taken", async () => {
    const first = await listen((_req, res) => res.end("here"), LOCAL);
    expect(await (await fetch(`http://127.0.0.1:${first.port}`)).text()).toBe("here");
    const second = listen(() => {}, { ...LOCAL, port: first.port });
    await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.close(1_000);
  });

  it("finishes the request in flight, takes no new one and then is closed", async () => {
    const held = createHeldApp();
    const server = await listen(held.app, LOCAL);
    const agent = new Agent({ keepAlive: true });
    const outgoing = request({ host: "127.0.0.1", port: server.port, agent }).end();
    await held.arrived;
    const closed = server.close(60_000);
    await expect(fetch(`http://127.0.0.1:${server.port}`)).rejects.toThrow("fetch failed");
    held.release();
    const [response] = await once(outgoing, "response");
    expect(response.statusCode).toBe(200);
    response.resume();
    // The agent would keep this connection; the server must not wait for it.
    await closed;
    agent.destroy();
  });

  it("cuts what is still open at the deadline", async () => {
    const held = createHeldApp();
    const server = await listen(held.app, LOCAL);
    const failed = fetch(`http://127.0.0.1:${server.port}`).catch((error: unknown) => error);
    await held.arrived;
    await server.close(50);
    expect(await failed).toBeInstanceOf(TypeError);
  });

  it("does not wait for clients that connected and said nothing", async () => {
    const server = await listen(() => {}, LOCAL);
    const silent = connect(server.port, "127.0.0.1");
    await once(silent, "connect");
    const ended = once(silent, "close");
    await server.close(100);
    await ended;
    expect(server.server.listening).toBe(false);
  });

  it("may be closed twice", async () => {
    const server = await listen(() => {}, LOCAL);
    await server.close(100);
    await server.close(100);
    expect(server.server.listening).toBe(false);
  });
});
