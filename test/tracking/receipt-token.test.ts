/** Which receipts are ours. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createReceiptTokens } from "../../src/tracking/receipt-token.ts";

const keyspace = createKeyspace({ shards: 16, prefix: "" });
const withKeys = (...keys: readonly Buffer[]) =>
  createReceiptTokens({ sealing: createSealing(...keys), keyspace });
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const id = keyspace.newNoteId("teacher-1");

it("speaks of its own notification and no other", () => {
  const tokens = withKeys(newKey);
  const token = tokens.sign(id);
  expect(tokens.read(token)).toBe(id);
  const signature = token.slice(id.length);
  expect(tokens.read(`${keyspace.newNoteId("teacher-1")}${signature}`)).toBeUndefined();
});

it("stays ours while the key it was signed with is one of several, and not after", () => {
  const token = withKeys(oldKey).sign(id);
  expect(withKeys(newKey, oldKey).read(token)).toBe(id);
  expect(withKeys(newKey).read(token)).toBeUndefined();
});

it("cannot be made of parts, or of anything else", () => {
  const tokens = withKeys(newKey);
  const token = tokens.sign(id);
  for (const wrong of [
    "",
    ".",
    id,
    `${id}.`,
    token.slice(0, -1),
    `${token}0`,
    `.${token}`,
    "ü.ü",
  ]) {
    expect(tokens.read(wrong)).toBeUndefined();
  }
});
