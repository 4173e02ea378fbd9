/** The WebSocket client comes back after every kind of ending, as soon as is fair and no sooner. */
import { describe, expect, it } from "vitest";
import type { ConnectionState } from "../../src/browser/client/client.ts";
import { hello, settle, start } from "./client-harness.ts";

function delays(states: readonly ConnectionState[]): number[] {
  return states.flatMap((state) => (state.kind === "waiting" ? [state.delayMs] : []));
}

describe("reconnecting", () => {
  it("waits longer after each failure, up to half a minute", async () => {
    const { last, states, clock } = await start();
    for (let failure = 0; failure < 9; failure += 1) {
      last().drop(1006);
      clock.advance(60_000);
      await settle();
    }
    const waited = delays(states);
    expect(waited).toEqual([...waited].sort((a, b) => a - b));
    expect(new Set(waited).size).toBeGreaterThan(5);
    expect(Math.max(...waited)).toBeLessThanOrEqual(30_000);
  });

  it("starts over with a short wait once a connection has worked for a while", async () => {
    const { last, states, clock } = await start();
    for (let failure = 0; failure < 4; failure += 1) {
      last().drop(1006);
      clock.advance(60_000);
      await settle();
    }
    last().receive(hello("0"));
    clock.advance(20_000);
    last().drop(1006);
    expect(delays(states).at(-1)).toBe(delays(states).at(0));
  });

  it("does not start over for a server that greets and hangs up at once", async () => {
    const { last, states, clock } = await start();
    for (let failure = 0; failure < 3; failure += 1) {
      last().receive(hello("0"));
      last().drop(1011);
      clock.advance(60_000);
      await settle();
    }
    expect(new Set(delays(states)).size).toBe(3);
  });

  it("comes back when the server that went away asked for", async () => {
    const { last, states } = await start();
    last().receive(hello("0"));
    last().receive({ type: "going_away", retry_after_ms: 4_000 });
    last().drop(1001);
    const [delay = 0] = delays(states);
    expect(delay).toBeGreaterThanOrEqual(4_000);
    expect(delay).toBeLessThanOrEqual(5_000);
  });

  it("waits much longer for a server that is full", async () => {
    const { last, states } = await start();
    last().drop(1013);
    expect(delays(states).at(0)).toBeGreaterThanOrEqual(5_000);
  });

  it("gets a new token when the old one is refused", async () => {
    const { last, clock, renewals } = await start();
    last().receive(hello("0"));
    last().drop(1008);
    clock.advance(60_000);
    await settle();
    expect(renewals).toEqual([false, true]);
    expect(last().query.get("ticket")).toBe("second");
  });

  it("gives up when new tokens are refused too", async () => {
    const { last, clock, states, sockets } = await start();
    for (let refusal = 0; refusal < 3; refusal += 1) {
      last().drop(1008);
      clock.advance(60_000);
      await settle();
    }
    expect(states.at(-1)).toEqual({ kind: "refused" });
    expect(sockets).toHaveLength(3);
  });

  it("gives up when there is no token to be had", async () => {
    const { states, sockets } = await start({
      pass: { kind: "ticket", get: () => Promise.resolve(undefined) },
    });
    expect(states.at(-1)).toEqual({ kind: "refused" });
    expect(sockets).toHaveLength(0);
  });

  it("goes on trying while the network is away", async () => {
    let reachable = false;
    const { states, sockets, clock } = await start({
      pass: {
        kind: "ticket",
        get: () => (reachable ? Promise.resolve("t") : Promise.reject(new Error("no network"))),
      },
    });
    expect(states.at(-1)?.kind).toBe("waiting");
    reachable = true;
    clock.advance(60_000);
    await settle();
    expect(sockets).toHaveLength(1);
  });

  it("takes silence beyond the heartbeats for a dead connection", async () => {
    const { last, clock, sockets } = await start();
    last().receive(hello("0"));
    const first = last();
    clock.advance(74_000);
    expect(first.closedByClient).toBe(false);
    clock.advance(60_000);
    await settle();
    expect(first.closedByClient).toBe(true);
    expect(sockets).toHaveLength(2);
  });

  it("tries at once when the person comes back", async () => {
    const { last, client, sockets } = await start();
    last().drop(1006);
    client.retryNow();
    await settle();
    expect(sockets).toHaveLength(2);
  });

  it("stays away once stopped", async () => {
    const { last, client, clock, sockets, states } = await start();
    last().receive(hello("0"));
    client.stop();
    last().drop(1005);
    clock.advance(600_000);
    client.retryNow();
    await settle();
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toEqual({ kind: "stopped" });
  });
});
