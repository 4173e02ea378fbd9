/** What a scenario of the bench is, what it is given and what it returns; and the list of them all. */
import type { Logger } from "../../src/platform/logger.ts";
import type { Resources } from "../../src/platform/resources.ts";
import type { BenchOptions } from "./arguments.ts";
import type { BenchRedis } from "./bench-redis.ts";
import type { ChildServer, ChildServerOptions } from "./child-server.ts";
import type { Product, ProductOptions } from "./product.ts";
import type { Measured } from "./summary.ts";
import type { Table } from "./table.ts";

export interface BenchContext {
  readonly options: BenchOptions;
  /** Of this scenario alone: what is registered here is released when it ends. */
  readonly resources: Resources;
  readonly logger: Logger;
  /** Tells the person at the screen what goes on. */
  readonly announce: (line: string) => void;
  /** A folder of this scenario alone, deleted afterwards. */
  readonly dataDir: string;
  /** A Redis as the product's: append-only file on. @param name of its folder */
  startRedis(name: string): Promise<BenchRedis>;
  /** The product as a process of its own, or one for each of `roles`. */
  startProduct(options: ProductOptions): Promise<Product>;
  /** Any other server as a process of its own: baselines. */
  startServer(options: Omit<ChildServerOptions, "resources">): Promise<ChildServer>;
}

export interface ScenarioResult {
  readonly tables: readonly Table[];
  /** Everything that was measured, for the JSON file. */
  readonly figures: unknown;
  /** What this scenario contributes to the summary at the end. */
  readonly measured: Measured;
  /** False: something was lost, doubled, astray, out of order or refused, or counts differ. */
  readonly sound: boolean;
  /** Sentences for below the tables: verdicts, and what makes the figures worth less. */
  readonly notes: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** One line for `--help` and above its tables. */
  readonly title: string;
  run(context: BenchContext): Promise<ScenarioResult>;
}

/** In the order they run. Each is loaded only when it is wanted. */
export const SCENARIOS = [
  {
    name: "rest",
    title: "REST: from POST to the frame on the socket, and what rate is sustained",
    run: async (context) => (await import("./rest.ts")).runRest(context),
  },
  {
    name: "bulk",
    title: "bulk: from POST /notify/bulk to the client's ack, against bare BullMQ",
    run: async (context) => (await import("./bulk.ts")).runBulk(context),
  },
  {
    name: "kafka",
    title: "kafka: from events on a topic to the client's ack, against a bare consumer and BullMQ",
    run: async (context) => (await import("./kafka.ts")).runKafka(context),
  },
  {
    name: "idle",
    title: "idle: memory of an open socket that nothing is sent to, against bare ws",
    run: async (context) => (await import("./idle.ts")).runIdle(context),
  },
  {
    name: "critical",
    title: "critical: a critical message behind a queue full of low ones",
    run: async (context) => (await import("./critical.ts")).runCritical(context),
  },
  {
    name: "replay",
    title: "replay: everybody comes back at once and catches up",
    run: async (context) => (await import("./replay.ts")).runReplay(context),
  },
  {
    name: "push",
    title: "push: what a push message costs, with a signature for each and with one for many",
    run: async (context) => (await import("./push.ts")).runPush(context),
  },
  {
    name: "growth",
    title: "growth: the same load with a thousand and with a million known users",
    run: async (context) => (await import("./growth.ts")).runGrowth(context),
  },
  {
    name: "memory",
    title: "memory: what the processes and Redis hold over time and for each notification",
    run: async (context) => (await import("./memory.ts")).runMemory(context),
  },
  {
    name: "steps",
    title: "steps: processor time of each notification by process, Redis command and step",
    run: async (context) => (await import("./steps.ts")).runSteps(context),
  },
] as const satisfies readonly Scenario[];

export type ScenarioName = (typeof SCENARIOS)[number]["name"];
