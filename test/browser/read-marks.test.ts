/** What a person has read stays read in this browser, and nothing else does. */
import { describe, expect, it } from "vitest";
import { createReadMarks } from "../../src/browser/page/read-marks.ts";

function createStorage(stored: Record<string, string> = {}) {
  const items = new Map(Object.entries(stored));
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `n-${index}`);

describe("what was read", () => {
  it("is known on the next visit, to that person alone", () => {
    const storage = createStorage();
    createReadMarks(storage, "u1").add(["a", "b"]);
    const next = createReadMarks(storage, "u1");
    expect([next.has("a"), next.has("b"), next.has("c")]).toEqual([true, true, false]);
    expect(createReadMarks(storage, "u2").has("a")).toBe(false);
  });

  it("is not what the client merely received", () => {
    const position = JSON.stringify({ epoch: "e1", replayId: "7" });
    const marks = createReadMarks(createStorage({ "schoolbell.position.u1": position }), "u1");
    expect(names(8).some((id) => marks.has(id))).toBe(false);
  });

  it("is kept from two tabs of the same person", () => {
    const storage = createStorage();
    const [one, other] = [createReadMarks(storage, "u1"), createReadMarks(storage, "u1")];
    one.add(["a"]);
    other.add(["b"]);
    const next = createReadMarks(storage, "u1");
    expect([next.has("a"), next.has("b")]).toEqual([true, true]);
  });

  it("is kept for more than the service keeps, and not for ever", () => {
    const storage = createStorage();
    createReadMarks(storage, "u1").add(names(1_000));
    const next = createReadMarks(storage, "u1");
    const kept = names(1_000).filter((id) => next.has(id));
    expect(kept.length).toBeGreaterThanOrEqual(200);
    expect(kept.length).toBeLessThanOrEqual(500);
    expect(kept.at(-1)).toBe("n-999");
    expect((storage.items.get("schoolbell.read.u1") ?? "").length).toBeLessThan(20_000);
  });

  it.each(["not json", '{"a":1}', "[1]"])("starts anew from damaged storage: %s", (text) => {
    const storage = createStorage({ "schoolbell.read.u1": text });
    createReadMarks(storage, "u1").add(["a"]);
    expect(createReadMarks(storage, "u1").has("a")).toBe(true);
  });

  it("lasts as long as the tab where nothing may be stored", () => {
    const refuse = (): never => {
      throw new DOMException("no storage here", "SecurityError");
    };
    const marks = createReadMarks({ getItem: refuse, setItem: refuse }, "u1");
    marks.add(["a"]);
    expect(marks.has("a")).toBe(true);
  });
});
