/** A term's events go through Kafka while something dies: in the end each is accounted for. */
import { expect, vi } from "vitest";
import { replay, type ReplayOptions } from "../trace/replay.ts";
import { differences } from "../trace/table.ts";
import { makeTerm } from "../trace/term.ts";

/** Processes start and are missed by their group several times over, on a machine that others use. */
const KAFKA_CHAOS_TIMEOUT_MS = 240_000;
const DAY_MS = 86_400_000;
const TOLD_AT_MOST = 10;

export type TermOptions = Pick<
  ReplayOptions,
  "servers" | "topicPrefix" | "redisUrl" | "keyspace" | "disturb" | "processes" | "inOrder" | "env"
>;

/**
 * Every event ends as the rules say: shown to its owner once, in the order of its partition, or not
 * at all; whatever `disturb` does meanwhile. Without `inOrder` the order is left open.
 */
export async function expectTermToComeThrough(options: TermOptions): Promise<void> {
  const { lines, faults } = await replay({
    ...options,
    phases: makeTerm({ seed: 20_261_122, teachers: 24, nowMs: Date.now() }),
    maxAgeMs: DAY_MS,
    // A dead reader is missed after half a minute otherwise.
    env: { KAFKA_SESSION_TIMEOUT_MS: "2000", ...options.env },
    announce: () => {},
  });
  expect(differences(lines, TOLD_AT_MOST)).toEqual([]);
  expect(faults).toEqual([]);
}

export function useLongTests(): void {
  vi.setConfig({ testTimeout: KAFKA_CHAOS_TIMEOUT_MS, hookTimeout: KAFKA_CHAOS_TIMEOUT_MS });
}
