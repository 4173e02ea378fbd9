/** A member of a consumer group that can be killed: it writes what it has handled to a file. */
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { createMember, SESSION_TIMEOUT_MS } from "./kafka-members.ts";

const settings = z
  .object({
    servers: z.string(),
    groupId: z.string(),
    topics: z.array(z.string()),
    file: z.string(),
    chunkMs: z.number(),
    sessionTimeoutMs: z.number().default(SESSION_TIMEOUT_MS),
    clientId: z.string().default("test-member"),
  })
  .parse(JSON.parse(process.env["MEMBER"] ?? ""));

createMember({
  ...settings,
  async onChunk(records) {
    await delay(settings.chunkMs);
    appendFileSync(settings.file, records.map(({ value }) => `${value?.toString()}\n`).join(""));
  },
}).start();
