/** Work side by side, of which one part keeps the order in which it began. */
import { expect, it } from "vitest";
import { createTurns } from "../../src/ingest/turns.ts";

it("lets nobody pass who began later, however long the one before takes or if it fails", async () => {
  const turns = createTurns();
  const done: string[] = [];
  const work = async (name: string, before: Promise<void>): Promise<void> => {
    const turn = turns.next();
    try {
      await before;
      await turn.comes;
      done.push(name);
    } finally {
      turn.end();
    }
  };
  const slow = Promise.withResolvers<void>();
  const first = work("first", slow.promise);
  const failing = work("failing", Promise.reject(new Error("its own fault")));
  const third = work("third", Promise.resolve());
  await expect(failing).rejects.toThrow("its own fault");
  expect(done).toEqual([]);
  slow.resolve();
  await Promise.all([first, third]);
  expect(done).toEqual(["first", "third"]);
});
