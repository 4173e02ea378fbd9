/** A Redis that could lose notifications is told of in words, one sentence a setting. */
import { describe, expect, it } from "vitest";
import { checkRedisSettings } from "../../src/platform/redis-settings.ts";

const GOOD_BUFFER = "normal 0 0 0 slave 268435456 67108864 60 pubsub 268435456 67108864 60";

interface Settings {
  readonly version: string;
  readonly aof: string;
  readonly policy: string;
  readonly buffer: string | Error;
}

const GOOD: Settings = { version: "7.2.4", aof: "1", policy: "noeviction", buffer: GOOD_BUFFER };

async function warningsOf(settings: Partial<Settings>): Promise<string[]> {
  const { version, aof, policy, buffer } = { ...GOOD, ...settings };
  return await checkRedisSettings({
    info: async () =>
      `# All\r\nredis_version:${version}\r\naof_enabled:${aof}\r\nmaxmemory_policy:${policy}\r\n`,
    config: async () => {
      if (buffer instanceof Error) throw buffer;
      return ["client-output-buffer-limit", buffer];
    },
  });
}

describe("checkRedisSettings", () => {
  it("has nothing to say about a good server", async () => {
    expect(await warningsOf({})).toEqual([]);
  });

  it("takes no limit as large enough", async () => {
    const buffer = "normal 0 0 0 slave 0 0 0 pubsub 0 0 0";
    expect(await warningsOf({ buffer })).toEqual([]);
  });

  it.each<[Partial<Settings>, string]>([
    [{ version: "6.2.14" }, "6.2.14"],
    [{ aof: "0" }, "appendonly"],
    [{ policy: "allkeys-lru" }, "allkeys-lru"],
    [{ buffer: "normal 0 0 0 slave 0 0 0 pubsub 33554432 8388608 60" }, "pubsub"],
    [{ buffer: new Error("ERR unknown command 'config'") }, "could not be read"],
  ])("names what is wrong in %o", async (settings, named) => {
    const warnings = await warningsOf(settings);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(named);
  });
});
