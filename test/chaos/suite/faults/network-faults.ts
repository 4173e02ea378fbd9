/** Processes that cannot reach Redis, while it and all others are well. */
import { setTimeout as delay } from "node:timers/promises";
import type { Role } from "../../../../src/platform/config-schema.ts";
import type { NetworkLink } from "../stage/network-link.ts";
import type { Fault, Scene } from "./fault.ts";

const MIN_AWAY_MS = 2_000;
const MAX_AWAY_MS = 12_000;
/** Each way. */
const SLOW_MS = 150;

type Break = (link: NetworkLink) => Promise<void>;

export const cut: Break = async (link) => {
  link.cut();
};
export const blackhole: Break = (link) => link.blackhole();
/** Redis does what it is told, and the process never hears so. */
export const muteReplies: Break = (link) => link.muteReplies();
const slow: Break = (link) => link.delay(SLOW_MS);

async function breakLinks(links: readonly NetworkLink[], harm: Break, scene: Scene) {
  await Promise.all(links.map(harm));
  await delay(scene.random.whole(MIN_AWAY_MS, MAX_AWAY_MS));
  await Promise.all(links.map((link) => link.heal()));
  return { liftedAt: scene.now() };
}

/** One process of this role. */
export function linkOf(role: Role, harm: Break): Fault {
  return {
    path: "websocket",
    needs: "single",
    strike: async (scene) => {
      const { cast, random } = scene;
      const [first, ...others] = cast.of(role).flatMap(({ link }) => link ?? []);
      if (first === undefined) throw new Error(`there is no ${role}`);
      return await breakLinks([random.pick([first, ...others])], harm, scene);
    },
  };
}

/** All processes. */
export function allLinks(harm: Break): Fault {
  return {
    path: "websocket",
    needs: "single",
    strike: async (scene) =>
      await breakLinks(
        scene.cast.units.flatMap(({ link }) => link ?? []),
        harm,
        scene,
      ),
  };
}

export const slowRedis: Fault = allLinks(slow);
