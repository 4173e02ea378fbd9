/** What a key is kept for, told from its name. */
import { describe, expect, it } from "vitest";
import { kindOf } from "./memory-keys.ts";

describe("the kind of a key", () => {
  it.each([
    ["sb:{s3}:hist:teacher-1", "hist"],
    ["sb:{s12}:due", "due"],
    ["sb:idem:2c26b46b68ff", "idem"],
    ["sb:gateways", "gateways"],
    ["sb:{queue-websocket-bulk-0}:events", "queue"],
    ["somebody:else", "somebody"],
  ])("of %s is %s", (key, kind) => {
    expect(kindOf(key, "sb:")).toBe(kind);
  });
});
