/** Processes that die, are stopped in good order, or stand still. */
import { setTimeout as delay } from "node:timers/promises";
import type { Role } from "../../../../src/platform/config-schema.ts";
import type { Unit } from "../cast.ts";
import type { AffectedPath, Fault, Scene } from "./fault.ts";

/** Until a supervisor starts a process anew. */
const MIN_RESTART_MS = 500;
const MAX_RESTART_MS = 3_000;
const FROZEN_MS = 20_000;

function someUnit({ cast, random }: Scene, role: Role): Unit {
  const [first, ...others] = cast.of(role).filter((unit) => unit.process !== undefined);
  if (first === undefined) throw new Error(`no ${role} runs that could be struck`);
  return random.pick([first, ...others]);
}

/** SIGKILL. Recovery counts from the kill on: nobody waits for the process to be back. */
export function killOf(role: Role, path: AffectedPath): Fault {
  return {
    path,
    async strike(scene) {
      const unit = someUnit(scene, role);
      await unit.kill();
      const liftedAt = scene.now();
      await delay(scene.random.whole(MIN_RESTART_MS, MAX_RESTART_MS));
      await unit.start();
      return { liftedAt };
    },
  };
}

/** All processes of all roles at once, as when a machine loses its power. */
export const killAll: Fault = {
  path: "websocket",
  async strike(scene) {
    const { cast, random, now } = scene;
    await Promise.all(cast.units.map((unit) => unit.kill()));
    await delay(random.whole(MIN_RESTART_MS, MAX_RESTART_MS));
    await Promise.all(cast.units.map((unit) => unit.start()));
    return { liftedAt: now() };
  },
};

/** As a new version is rolled out: one process after the other ends in good order and comes back. */
export const rollingRestart: Fault = {
  path: "websocket",
  async strike({ cast, random, now }) {
    for (const unit of random.shuffle(cast.units)) {
      await unit.stop();
      await unit.start();
    }
    return { liftedAt: now() };
  },
};

/** SIGSTOP: it keeps its connections, and does not know how long it was away. */
export function freezeOf(role: Role, path: AffectedPath): Fault {
  return {
    path,
    async strike(scene) {
      const { process } = someUnit(scene, role);
      process?.freeze();
      await delay(FROZEN_MS);
      process?.thaw();
      return { liftedAt: scene.now() };
    },
  };
}
