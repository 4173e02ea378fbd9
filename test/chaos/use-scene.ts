/** One scene for all tests of a file; a test that fails leaves a fresh one to the next. */
import { afterAll, afterEach, beforeAll } from "vitest";
import { openScene, type Scene } from "./scene.ts";

/** Registers the hooks; the function returned gives the scene to a running test. */
export function useScene(): () => Scene {
  let scene: Scene | undefined;

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
