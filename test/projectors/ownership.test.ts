/** For whom an event is: never for somebody who does not own what it is about. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Owned, OwnerClaim, OwnerIndex } from "../../src/projectors/owner-index.ts";
import { resolveOwners, type Ownable, type Ownership } from "../../src/projectors/ownership.ts";

const keyOf = ({ kind, id }: Owned): string => `${kind}:${id}`;

/** An index in memory that counts round trips; `meanwhile` runs between reading and teaching. */
function openIndex(entries: Readonly<Record<string, string>> = {}) {
  const held = new Map(Object.entries(entries));
  const calls: string[] = [];
  let meanwhile: (() => void) | undefined;
  const index: Pick<OwnerIndex, "ownersOf" | "learn"> = {
    async ownersOf(owned) {
      if (owned.length > 0) calls.push("read");
      return await Promise.resolve(owned.map((entry) => held.get(keyOf(entry))));
    },
    async learn(claims) {
      meanwhile?.();
      meanwhile = undefined;
      if (claims.length > 0) calls.push("write");
      return await Promise.resolve(
        claims.map((claim: OwnerClaim) => {
          const holder = held.get(keyOf(claim)) ?? claim.userId;
          held.set(keyOf(claim), holder);
          return holder;
        }),
      );
    },
  };
  return { index, held, calls, meanwhile: (task: () => void) => (meanwhile = task) };
}

function event(fields: Partial<Ownable> = {}): Ownable {
  return { userId: undefined, batchId: undefined, classId: undefined, owns: undefined, ...fields };
}

const owner = (userId: string): Ownership => ({ kind: "owner", userId });
const UNKNOWN: Ownership = { kind: "unknown" };
const NOT_THEIR_BATCH: Ownership = { kind: "mismatch", owned: "batch" };
const NOT_THEIR_CLASS: Ownership = { kind: "mismatch", owned: "class" };

describe("an event is for", () => {
  const entries = { "batch:b": "anna", "class:c": "anna", "class:other": "bo" };

  it.each<[what: string, fields: Partial<Ownable>, expected: Ownership]>([
    ["whom it names, where nobody knows better", { userId: "anna", batchId: "new" }, owner("anna")],
    ["whom it names, being about nothing", { userId: "anna" }, owner("anna")],
    ["its batch's owner", { batchId: "b" }, owner("anna")],
    [
      "its class's owner, where its batch's is unknown",
      { batchId: "new", classId: "c" },
      owner("anna"),
    ],
    ["its class's owner", { classId: "other" }, owner("bo")],
    ["nobody, where no owner is known", { batchId: "new", classId: "new" }, UNKNOWN],
    ["nobody, being about nothing", {}, UNKNOWN],
    ["nobody, where its batch is another's", { userId: "bo", batchId: "b" }, NOT_THEIR_BATCH],
    ["nobody, where its class is another's", { userId: "bo", classId: "c" }, NOT_THEIR_CLASS],
    [
      "nobody, where its class is another's and its batch new",
      { userId: "bo", batchId: "new", classId: "c" },
      NOT_THEIR_CLASS,
    ],
    [
      "nobody, where its batch and class have different owners",
      { batchId: "b", classId: "other" },
      NOT_THEIR_CLASS,
    ],
  ])("%s", async (_what, fields, expected) => {
    const { index } = openIndex(entries);
    expect(await resolveOwners([event(fields)], index)).toEqual([expected]);
  });
});

describe("a chunk", () => {
  const teaches = (userId: string, batchId: string) => event({ userId, batchId, owns: "batch" });

  it("uses what an earlier event of it taught, and not what a later one will", async () => {
    const { index, held } = openIndex();
    const about = event({ batchId: "b" });
    const chunk = [about, teaches("anna", "b"), about, teaches("bo", "b")];
    expect(await resolveOwners(chunk, index)).toEqual([
      UNKNOWN,
      owner("anna"),
      owner("anna"),
      NOT_THEIR_BATCH,
    ]);
    expect(held.get("batch:b")).toBe("anna");
  });

  it("learns nothing of an event that names the wrong user", async () => {
    const { index, held } = openIndex({ "class:c": "anna" });
    const wrong = event({ userId: "bo", batchId: "new", classId: "c", owns: "batch" });
    expect(await resolveOwners([wrong, event({ batchId: "new" })], index)).toEqual([
      NOT_THEIR_CLASS,
      UNKNOWN,
    ]);
    expect([...held.keys()]).toEqual(["class:c"]);
  });

  it("learns nothing of events that are no word on owners", async () => {
    const { index, held } = openIndex();
    await resolveOwners([event({ userId: "anna", batchId: "b", classId: "c" })], index);
    expect(held.size).toBe(0);
  });

  it("gives way where another process was first to teach", async () => {
    const { index, held, meanwhile } = openIndex();
    meanwhile(() => held.set("batch:b", "bo"));
    const chunk = [teaches("anna", "b"), event({ batchId: "b" }), teaches("anna", "mine")];
    expect(await resolveOwners(chunk, index)).toEqual([
      NOT_THEIR_BATCH,
      owner("bo"),
      owner("anna"),
    ]);
  });

  it("of five hundred events costs two round trips", async () => {
    const { index, calls } = openIndex();
    const chunk = Array.from({ length: 500 }, (_, at) => teaches("anna", `batch-${at % 40}`));
    await resolveOwners(chunk, index);
    expect(calls).toEqual(["read", "write"]);
  });

  it("tells each event the same as if it came alone", async () => {
    const user = fc.constantFrom("anna", "bo");
    const id = fc.constantFrom("x", "y");
    const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
    const events = fc.record<Ownable>({
      userId: maybe(user),
      batchId: maybe(id),
      classId: maybe(id),
      owns: maybe(fc.constantFrom("batch", "class")),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(events, { maxLength: 12 }), async (chunk) => {
        const [together, alone] = [openIndex(), openIndex()];
        const single: Ownership[] = [];
        for (const one of chunk) single.push(...(await resolveOwners([one], alone.index)));
        expect(await resolveOwners(chunk, together.index)).toEqual(single);
        expect(together.held).toEqual(alone.held);
      }),
    );
  });

  it("tells nobody of what another owns, whatever other processes teach meanwhile", async () => {
    const user = fc.constantFrom("anna", "bo", "cem");
    const ids = ["x", "y", "z"];
    const events = fc
      .record({ userId: fc.option(user, { nil: undefined }), batchId: fc.constantFrom(...ids) })
      .map((fields) => event({ ...fields, owns: "batch" }));
    const others = fc.dictionary(fc.constantFrom(...ids), user);
    await fc.assert(
      fc.asyncProperty(fc.array(events, { maxLength: 10 }), others, async (chunk, taught) => {
        const { index, held, meanwhile } = openIndex();
        meanwhile(() => {
          for (const [id, userId] of Object.entries(taught)) held.set(`batch:${id}`, userId);
        });
        const told = await resolveOwners(chunk, index);
        told.forEach((ownership, at) => {
          if (ownership.kind !== "owner") return;
          expect(held.get(`batch:${chunk[at]?.batchId}`)).toBe(ownership.userId);
        });
      }),
    );
  });
});
