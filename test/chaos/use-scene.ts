/** One scene for all tests of a file; a test that fails leaves a fresh one to the next. */
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { openScene, type Scene } from "./scene.ts";

/** Starting a process takes a second, or eight on a machine that others keep busy; some tests start four. */
const TIMEOUT_MS = 60_000;

/** Registers the hooks; the function returned gives the scene to a running test. */
export function useScene(): () => Scene {
  let scene: Scene | undefined;
  vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS });

  beforeAll(async () => {
    scene = await openScene();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await scene?.abandon();
    scene = await openScene();
  });
  afterAll(async () => await scene?.close());

  return () => {
    if (scene === undefined) throw new Error("the scene is not open");
    return scene;
  };
}
