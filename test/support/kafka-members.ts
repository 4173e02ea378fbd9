/** Members of a consumer group, in this process or in one of their own, and what they handled. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createSystemClock, type Clock } from "../../src/platform/clock.ts";
import { createKafkaConnection } from "../../src/platform/kafka/connection.ts";
import { createKafkaConsumer, type KafkaConsumer } from "../../src/platform/kafka/consumer.ts";
import type { ChunkHandler } from "../../src/platform/kafka/records.ts";
import { createSilentLogger, type Logger } from "../../src/platform/logger.ts";

export interface MemberSettings {
  readonly servers: string;
  readonly groupId: string;
  /** Full names. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs?: number;
  /** By which the broker's list of members tells it from others. */
  readonly clientId?: string;
}

export interface MemberOptions extends MemberSettings {
  readonly onChunk: ChunkHandler;
  readonly onStopped?: (error: Error) => void;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly concurrency?: number;
}

/** Short, so that a test need not wait long until a dead member is noticed. */
export const SESSION_TIMEOUT_MS = 6_000;

export function createMember(options: MemberOptions): KafkaConsumer {
  const { servers, groupId, topics, onChunk, logger = createSilentLogger() } = options;
  return createKafkaConsumer({
    connection: createKafkaConnection(
      { servers: servers.split(","), clientId: options.clientId ?? "test-member", ssl: false },
      logger,
    ),
    groupId,
    topics,
    partitions: 1,
    onChunk,
    onStopped:
      options.onStopped ??
      ((error) => {
        throw error;
      }),
    clock: options.clock ?? createSystemClock(),
    logger,
    sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
}

export interface ChildMember {
  /** Values of the records that it has handled, in order; they are in a file, so a kill loses none. */
  handled(): Promise<string[]>;
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
}

const CHILD = fileURLToPath(new URL("./kafka-member-process.ts", import.meta.url));

/** A member in a process of its own. It takes `chunkMs` for each chunk. */
export function startChildMember(
  settings: MemberSettings & { readonly file: string; readonly chunkMs: number },
): ChildMember {
  const child = spawn(process.execPath, [CHILD], {
    env: { MEMBER: JSON.stringify(settings), PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const orphanGuard = (): void => void child.kill("SIGKILL");
  process.once("exit", orphanGuard);
  child.once("exit", () => process.off("exit", orphanGuard));
  return {
    async handled() {
      const text = await readFile(settings.file, "utf8").catch(() => "");
      return text.split("\n").filter((line) => line !== "");
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
