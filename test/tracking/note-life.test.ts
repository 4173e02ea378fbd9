/** How long settled notifications can be asked about: as long as the operator says. */
import { describe, expect, it } from "vitest";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const DAY_MS = 86_400_000;

/** What is left of the life of a notification that was settled in this way, in ms. */
async function lifeAfter(book: TestLedger, end: "delivered" | "failed"): Promise<number> {
  const channels = { websocket: book.open(), push: book.shut(), sms: book.shut() };
  const note = await book.create({ channels });
  expect(await book.store.redis.pttl(book.key(note.userId, `rec:${note.id}`))).toBe(-1);
  const settled = await book.apply(book.close(note, "websocket", end));
  expect(settled.status).toBe(end);
  return await book.store.redis.pttl(book.key(note.userId, `rec:${note.id}`));
}

describe("the life of a settled notification", () => {
  it.each(["delivered", "failed"] as const)("is 30 days for one that was %s", async (end) => {
    const book = await openTestLedger();

    const life = await lifeAfter(book, end);

    expect(life).toBeGreaterThan(29 * DAY_MS);
    expect(life).toBeLessThanOrEqual(30 * DAY_MS);
    await book.store.close();
  });

  it.each(["delivered", "failed"] as const)(
    "is what NOTE_TTL_SECONDS says for one that was %s",
    async (end) => {
      const book = await openTestLedger({ noteSeconds: 8 * 86_400 });

      const life = await lifeAfter(book, end);

      expect(life).toBeGreaterThan(7 * DAY_MS);
      expect(life).toBeLessThanOrEqual(8 * DAY_MS);
      await book.store.close();
    },
  );

  it("is over at the same time in the list of failed ones", async () => {
    const book = await openTestLedger({ noteSeconds: 8 * 86_400 });
    await lifeAfter(book, "failed");
    const dead = book.key("teacher-1", "dead");
    expect(await book.store.redis.zcard(dead)).toBe(1);

    book.clock.advance(9 * DAY_MS);
    await lifeAfter(book, "failed");

    expect(await book.store.redis.zcard(dead)).toBe(1);
    await book.store.close();
  });
});
