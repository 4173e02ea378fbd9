/** Keys: users spread over the shards, and an id that says where its note is. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyspace, MAX_SHARDS, sha256Hex } from "../../src/platform/keyspace.ts";

const keyspace = createKeyspace({ shards: 16, prefix: "sb:" });

/** RFC 9562: version 8, variant 10. */
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("shards", () => {
  it("take about as many users each, for the ids that schools use", () => {
    const users = 16_000;
    for (const pattern of ["teacher_#", "student-#@school.example", "#", "u#.staff"]) {
      const counts = Array.from({ length: 16 }, () => 0);
      for (let index = 0; index < users; index += 1) {
        const shard = keyspace.shardOfUser(pattern.replace("#", String(index)));
        counts[shard] = (counts[shard] ?? 0) + 1;
      }
      expect(Math.max(...counts), pattern).toBeLessThan((users / 16) * 1.25);
      expect(Math.min(...counts), pattern).toBeGreaterThan((users / 16) * 0.75);
    }
  });

  it("are the same for a user in every process", () => {
    const other = createKeyspace({ shards: 16, prefix: "other:" });
    expect(other.shardOfUser("teacher_1")).toBe(keyspace.shardOfUser("teacher_1"));
  });

  it.each([0, -1, 1.5, MAX_SHARDS + 1, Number.NaN])("cannot number %d", (shards) => {
    expect(() => createKeyspace({ shards, prefix: "" })).toThrow(RangeError);
  });
});

describe("note ids", () => {
  it("are UUIDs whose first byte leads to the user's shard, for any number of shards", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_SHARDS }), fc.string(), (shards, user) => {
        const space = createKeyspace({ shards, prefix: "" });
        const id = space.newNoteId(user);
        expect(id).toMatch(UUID_V8);
        expect(space.shardOfNote(id)).toBe(space.shardOfUser(user));
      }),
    );
  });

  it("do not repeat", () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => keyspace.newNoteId("teacher_1")));
    expect(ids.size).toBe(10_000);
  });

  it.each([
    ["another kind of UUID", "0a1b2c3d-0000-4000-8000-000000000000"],
    ["another variant", "0a1b2c3d-0000-8000-c000-000000000000"],
    ["a shard that does not exist", "ff1b2c3d-0000-8000-8000-000000000000"],
    ["capitals", "0A1B2C3D-0000-8000-8000-000000000000"],
    ["something longer", "0a1b2c3d-0000-8000-8000-000000000000:x"],
    ["nothing", ""],
  ])("are told from %s", (_what, id) => {
    expect(keyspace.shardOfNote(id)).toBeUndefined();
  });
});

describe("names", () => {
  it("carry the prefix and, in a shard, the hash tag that keeps them in one cluster slot", () => {
    expect(keyspace.sharded(3, "note:x")).toBe("sb:{s3}:note:x");
    expect(keyspace.plain("idem:x")).toBe("sb:idem:x");
  });

  it("made of what callers send are of fixed length", () => {
    expect(sha256Hex("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
