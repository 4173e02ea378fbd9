/** A run ends when nothing is left, and says what is stuck instead of waiting for ever. */
import { expect, it } from "vitest";
import { untilQuiet } from "./quiet.ts";

const inTurn = (...answers: (readonly string[])[]) => {
  let at = 0;
  return () => Promise.resolve(answers[Math.min(at++, answers.length - 1)] ?? []);
};

it("ends once nothing is left, and was not a moment ago either", async () => {
  expect(await untilQuiet(inTurn(["3 to settle"], [], ["1 to settle"], [], []), 60_000)).toEqual(
    [],
  );
});

it("tells what does not move", async () => {
  expect(await untilQuiet(inTurn(["2 to settle"]), 0)).toEqual([
    "nothing has moved for 0 s: 2 to settle",
  ]);
});

it("what cannot be read is not taken for nothing", async () => {
  const [sentence] = await untilQuiet(() => Promise.reject(new Error("Redis is away")), 0);
  expect(sentence).toContain("Redis is away");
});
