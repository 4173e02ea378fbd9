/** What is sent: the same announcement to users in an order that looks random and never changes. */
import { randomBytes } from "node:crypto";
import { CORRELATION_PREFIX } from "./frame-scan.ts";

const CONTENT =
  '"template_id":"announcement","data":{"title":"Room change for the next lesson",' +
  '"body":"Mathematics 7B meets in room 214 today. Please bring the blue workbook."}';

/** Put together from text: only the user and the number differ from one to the next. */
export function requestText(user: string, index: number): string {
  return `{${CONTENT},"user_id":"${user}","correlation_id":"${CORRELATION_PREFIX}${index}"}`;
}

/** The same as an item of a bulk request, with a key of its own. */
export function bulkItemText(user: string, index: number, key: string): string {
  return `{"idempotency_key":"${key}",${requestText(user, index).slice(1)}`;
}

/** Idempotency keys that no other run has used. */
export function createKeys(): (index: number) => string {
  const run = randomBytes(9).toString("base64url");
  return (index) => `${run}-${index}`;
}

export function createShuffle(size: number): () => number {
  // A linear congruential generator with the constants of Numerical Recipes.
  let state = 20_260_801;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * size);
  };
}

export function usersOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `teacher-${at + 1}`);
}
