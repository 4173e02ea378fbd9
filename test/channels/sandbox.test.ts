/** Reserved recipients meet the fate that their name says. */
import { describe, expect, it } from "vitest";
import { sandboxScript } from "../../src/channels/scripted/sandbox.ts";
import { USER_ID_PATTERN } from "../../src/contract/notification-request.ts";

function kindOf(outcome: string | { kind: string } | undefined): string | undefined {
  return typeof outcome === "object" ? outcome.kind : outcome;
}

describe("sandbox recipients", () => {
  it.each([
    ["delivered", "delivered", "delivered", "delivered"],
    ["push", "offline", "delivered", "delivered"],
    ["sms", "offline", "no_subscription", "delivered"],
    ["gone", "offline", "gone", "delivered"],
    ["rejected", "offline", "rejected", "rejected"],
    ["failed", "offline", "retry", "retry"],
    ["unknown", "offline", "no_subscription", "unknown"],
    ["stored", "offline", "no_subscription", "no_phone"],
  ])("test-%s@sandbox: socket %s, push %s, SMS %s", (word, websocket, push, sms) => {
    const userId = `test-${word}@sandbox`;
    expect(userId).toMatch(USER_ID_PATTERN);
    const script = sandboxScript(userId);
    expect(script?.websocket).toBe(websocket);
    expect(kindOf(script?.push)).toBe(push);
    expect(kindOf(script?.sms)).toBe(sms);
  });

  it.each([
    "teacher-1",
    "test-delivered",
    "test-@sandbox",
    "test-constructor@sandbox",
    "x-test-gone@sandbox",
    "test-gone@sandbox.org",
  ])("%s is an ordinary recipient", (userId) => {
    expect(sandboxScript(userId)).toBeUndefined();
  });
});
