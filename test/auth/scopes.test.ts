/** What each scope opens, and what it does not. */
import { describe, expect, it } from "vitest";
import {
  allows,
  canNotify,
  canRaiseToCritical,
  isAdmin,
  SEND_SCOPES,
} from "../../src/auth/scopes.ts";
import { FAMILIES } from "../../src/contract/vocabulary.ts";

const caller = (...scopes: string[]) => ({ scopes: new Set(scopes) });

describe("scopes", () => {
  it("notify:send covers every family", () => {
    expect(FAMILIES.every((family) => canNotify(caller("notify:send"), family))).toBe(true);
  });

  it.each(FAMILIES)("notify:send:%s covers that family and no other", (family) => {
    const allowed = FAMILIES.filter((other) => canNotify(caller(`notify:send:${family}`), other));
    expect(allowed).toEqual([family]);
    expect(allows(caller(`notify:send:${family}`), ...SEND_SCOPES)).toBe(true);
  });

  it("raising to critical needs its own scope, which alone sends nothing", () => {
    expect(canRaiseToCritical(caller("notify:send", "admin"))).toBe(false);
    expect(canRaiseToCritical(caller("notify:send:critical"))).toBe(true);
    expect(canNotify(caller("notify:send:critical"), "iep")).toBe(false);
    expect(allows(caller("notify:send:critical"), ...SEND_SCOPES)).toBe(false);
  });

  it("admin is not a right to send, nor the other way round", () => {
    expect(isAdmin(caller("admin"))).toBe(true);
    expect(canNotify(caller("admin"), "general")).toBe(false);
    expect(isAdmin(caller("notify:send", "administrator"))).toBe(false);
  });

  it("any one of several is enough, and none is needed where none is asked", () => {
    expect(allows(caller("b"), "a", "b")).toBe(true);
    expect(allows(caller("c"), "a", "b")).toBe(false);
    expect(allows(caller())).toBe(true);
  });
});
