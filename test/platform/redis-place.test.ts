/** How REDIS_URL is understood where it names a cluster. */
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/platform/config.ts";
import { describePlace, parsePlace } from "../../src/platform/redis-place.ts";

describe("REDIS_URL", () => {
  it("of one address is a server, left as it is", () => {
    const url = "rediss://user:pa,ss@redis.example:6380/2";
    expect(parsePlace(url)).toEqual({ kind: "server", url });
  });

  it("of several is a cluster, entered everywhere as at the first", () => {
    const urls =
      "rediss://me:se%2Ccret,word@a.example, rediss://b.example:7000,rediss://[::1]:7001";
    expect(parsePlace(urls)).toEqual({
      kind: "cluster",
      nodes: [
        { host: "a.example", port: 6379 },
        { host: "b.example", port: 7000 },
        { host: "::1", port: 7001 },
      ],
      access: { username: "me", password: "se,cret,word", tls: {} },
    });
  });

  it("shows no password where an operator reads it", () => {
    const urls = "redis://me:secret@a.example:7000,redis://me:secret@b.example";
    expect(describePlace(urls)).toBe("a.example:7000, b.example:6379");
  });

  it("is refused where one of several is no address of Redis", () => {
    const read = (REDIS_URL: string) => () => readConfig({ REDIS_URL });
    expect(read("redis://a.example,redis://b.example")).not.toThrow();
    expect(read("redis://a.example,b.example:7000")).toThrow("REDIS_URL");
    expect(read("redis://a.example,http://b.example")).toThrow("REDIS_URL");
  });

  it("names no database but the first where it is a cluster", () => {
    const read = (REDIS_URL: string) => () => readConfig({ REDIS_URL });
    expect(read("redis://a.example/0,redis://b.example/0")).not.toThrow();
    expect(read("redis://a.example/1,redis://b.example/1")).toThrow("REDIS_URL");
  });
});
