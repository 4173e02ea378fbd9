/** A Redis for a scenario, set up as the product's own: append-only file on, in a folder of its own. */
import path from "node:path";
import { Redis } from "ioredis";
import { startEmbeddedRedis } from "../../src/platform/embedded-redis.ts";
import type { Logger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";

export interface BenchRedis {
  readonly url: string;
  readonly pid: number;
  /** A connection of the bench's own, for questions that are not part of what is measured. */
  readonly client: Redis;
  stop(): Promise<void>;
}

/** @param options.name of its folder within `dataDir` */
export async function startBenchRedis(options: {
  readonly name: string;
  readonly dataDir: string;
  readonly resources: Resources;
  readonly logger: Logger;
  readonly announce: (line: string) => void;
}): Promise<BenchRedis> {
  const { name, resources, logger, announce } = options;
  const dataDir = path.join(options.dataDir, name);
  const server = await startEmbeddedRedis({ dataDir, appendOnly: true, logger, announce });
  const client = new Redis(server.url);
  const stop = async (): Promise<void> => {
    client.disconnect();
    await server.stop();
  };
  resources.add(`redis ${name}`, stop);
  const pid = Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
  return { url: server.url, pid, client, stop };
}
