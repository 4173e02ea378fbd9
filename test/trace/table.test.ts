/** What a replay says of the types it has seen, and when it takes one for missing. */
import { expect, it } from "vitest";
import type { Line } from "./account.ts";
import { DOMAIN_KINDS, TEACHER_TYPES } from "./catalog.ts";
import { reachOf } from "./table.ts";

/** A teacher event of each of these types, all of which reached their teacher. */
const linesOf = (types: Iterable<string>): Line[] =>
  Array.from(types, (type) => ({
    expected: {
      record: { topic: "any", key: null, value: null },
      side: "teacher",
      type,
      verdict: "delivered",
      reason: undefined,
      userId: "ada",
      correlationId: undefined,
    },
    found: "delivered",
  }));

it("files of one's own need not hold every type", () => {
  const { missing, sentence } = reachOf(linesOf([...TEACHER_TYPES].slice(0, 2)), false);
  expect(missing).toEqual([]);
  expect(sentence).toBe(
    `0 of ${DOMAIN_KINDS.size} domain kinds and 2 of ${TEACHER_TYPES.size} teacher types reached a socket of their owner.`,
  );
});

it("a whole term has to, and what is missing is named", () => {
  const [absent = "", ...others] = TEACHER_TYPES;
  const { missing, sentence } = reachOf(linesOf(others), true);
  expect(missing).toEqual([
    ...[...DOMAIN_KINDS.keys()].map((kind) => `domain ${kind}`),
    `teacher ${absent}`,
  ]);
  expect(sentence).toContain(`but not domain ${[...DOMAIN_KINDS.keys()][0] ?? ""}`);
});
