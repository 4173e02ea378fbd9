/** Which addresses that SMS providers call back are ours, and what each speaks of. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createCallbackTokens } from "../../src/channels/sms/callback-token.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { createSealing } from "../../src/platform/sealing.ts";

const keyspace = createKeyspace({ shards: 16, prefix: "" });
const withKeys = (...keys: readonly Buffer[]) =>
  createCallbackTokens({ sealing: createSealing(...keys), keyspace });
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const sending = { noteId: keyspace.newNoteId("teacher-1"), sentAt: 1_700_000_000_000 };

it("speaks of one sending of one note, and of no other", () => {
  const tokens = withKeys(newKey);
  const token = tokens.sign(sending);
  expect(tokens.read(token)).toEqual(sending);
  const [, , signature = ""] = token.split(".");
  const other = keyspace.newNoteId("teacher-1");
  expect(tokens.read(`${other}.${sending.sentAt}.${signature}`)).toBeUndefined();
  expect(tokens.read(`${sending.noteId}.${sending.sentAt + 1}.${signature}`)).toBeUndefined();
});

it("stays ours while the key it was signed with is one of several, and not after", () => {
  const token = withKeys(oldKey).sign(sending);
  expect(withKeys(newKey, oldKey).read(token)).toEqual(sending);
  expect(withKeys(newKey).read(token)).toBeUndefined();
});

it("cannot be made of parts, or of anything else", () => {
  const tokens = withKeys(newKey);
  const token = tokens.sign(sending);
  const { noteId, sentAt } = sending;
  for (const wrong of [
    "",
    "..",
    noteId,
    `${noteId}.${sentAt}`,
    `${noteId}.${sentAt}.`,
    token.slice(0, -1),
    `${token}0`,
    "ü.1.ü",
  ]) {
    expect(tokens.read(wrong)).toBeUndefined();
  }
});
