/** How long a provider asks us to wait. */
import { describe, expect, it } from "vitest";
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from "../../src/channels/retry-after.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    [" 30 ", 30_000],
    ["Sun, 01 Mar 2026 12:01:30 GMT", 90_000],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["999999999", MAX_RETRY_AFTER_MS],
    ["Sun, 01 Mar 2099 12:00:00 GMT", MAX_RETRY_AFTER_MS],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s means %s ms", (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });
});
