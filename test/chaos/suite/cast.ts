/** The product with its roles apart, each process under the suite's hand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Role } from "../../../src/platform/config-schema.ts";
import { startChildProduct, type ChildProduct } from "../../support/child-product.ts";
import { startLink, type NetworkLink } from "./stage/network-link.ts";

/** Processes of each role. Two of those where another one must be able to take over. */
const COUNTS: Readonly<Record<Role, number>> = {
  api: 2,
  gateway: 2,
  worker: 2,
  ingest: 2,
  projector: 1,
};
/** In the order in which they are stopped at the end: those that take in go first. */
const STOP_ORDER = ["projector", "ingest", "api", "worker", "gateway"] as const;
const LOG_LINES = 12;
const MOST_STARTS = 20;
const RESTART_MS = 1_000;
const MOST_LISTENERS = 64;

/** A place for a process, which outlives it, as a supervisor's unit does. */
export interface Unit {
  readonly name: string;
  readonly role: Role;
  /** Its network to Redis; undefined in front of a cluster, whose nodes tell their own addresses. */
  readonly link: NetworkLink | undefined;
  /** The process that runs; undefined while there is none. */
  readonly process: ChildProduct | undefined;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM; notes it as a fault of the product if it does not end in good order. */
  stop(): Promise<void>;
}

export interface Cast {
  readonly units: readonly Unit[];
  of(role: Role): readonly Unit[];
  /** Where this role answers at the moment: one process after the other. */
  address(role: "api" | "gateway"): Promise<string>;
  /** A sentence for each process that did not end as it should have. */
  readonly faults: readonly string[];
  logs(): string;
  close(): Promise<void>;
}

export interface CastOptions {
  readonly redisUrl: string;
  /** Whether each process has a network of its own to it. */
  readonly linked: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Where a unit is started, by its name; undefined: here. */
  readonly rootOf: (name: string) => string | undefined;
  /** Further variables of one unit, by its name. */
  readonly envOf: (name: string) => Readonly<Record<string, string>>;
}

/** Of two processes that can replace each other, the second. */
export const isSecond = (unit: string): boolean => unit.endsWith("-2");

export async function assembleCast(options: CastOptions): Promise<Cast> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-chaos-"));
  const faults: string[] = [];
  const logs = new Map<string, string>();
  let turn = 0;

  async function makeUnit(role: Role, number: number): Promise<Unit> {
    const name = `${role}-${number}`;
    const link = options.linked ? await startLink(options.redisUrl) : undefined;
    let child: ChildProduct | undefined;

    function gone(): void {
      if (child !== undefined) logs.set(name, child.log());
      child = undefined;
    }
    return {
      name,
      role,
      link,
      get process() {
        return child;
      },
      async start() {
        const env = {
          ...options.env,
          ...options.envOf(name),
          DATA_DIR: path.join(dataDir, name),
          REDIS_URL: link?.url ?? options.redisUrl,
          ROLES: role,
        };
        // As a supervisor does: one that ends at start, because Redis is away just then, is tried again.
        for (let tries = 1; ; tries += 1) {
          child = startChildProduct(env, options.rootOf(name));
          try {
            await child.url;
            return;
          } catch (error) {
            gone();
            if (tries === MOST_STARTS) throw error;
            await delay(RESTART_MS);
          }
        }
      },
      async kill() {
        await child?.kill();
        gone();
      },
      async stop() {
        const code = await child?.stop();
        if (code !== undefined && code !== 0) {
          faults.push(`${name} ended with ${code} when it was asked to stop: ${child?.log()}`);
        }
        gone();
      },
    };
  }

  const units: Unit[] = [];
  for (const role of STOP_ORDER) {
    for (let number = 1; number <= COUNTS[role]; number += 1) {
      units.push(await makeUnit(role, number));
    }
  }
  // Each process is ended with this one, which takes a listener each.
  process.setMaxListeners(MOST_LISTENERS);
  await Promise.all(units.map((unit) => unit.start()));
  const of = (role: Role): Unit[] => units.filter((unit) => unit.role === role);

  return {
    units,
    of,
    faults,
    async address(role) {
      const running = of(role).filter((unit) => unit.process !== undefined);
      turn += 1;
      const url = await running[turn % Math.max(1, running.length)]?.process?.url;
      if (url === undefined) throw new Error(`no ${role} runs`);
      return url;
    },
    logs: () =>
      units
        .map((unit) => {
          const text = unit.process?.log() ?? logs.get(unit.name) ?? "";
          return `--- ${unit.name}\n${text.trim().split("\n").slice(-LOG_LINES).join("\n")}`;
        })
        .join("\n"),
    async close() {
      for (const role of STOP_ORDER) await Promise.all(of(role).map((unit) => unit.stop()));
      await Promise.all(units.map(async (unit) => await unit.link?.close()));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
