/** Stopping: in reverse order, and past whatever fails or hangs. */
import { expect, it } from "vitest";
import { createResources } from "../../src/platform/resources.ts";

it("releases in reverse order, waiting for each", async () => {
  const resources = createResources();
  const order: string[] = [];
  for (const name of ["redis", "queue", "listener"]) {
    resources.add(name, async () => {
      await Promise.resolve();
      order.push(name);
    });
  }
  expect(await resources.close(1_000)).toEqual([]);
  expect(order).toEqual(["listener", "queue", "redis"]);
});

it("releases the rest when one fails or hangs, and names those", async () => {
  const resources = createResources();
  const order: string[] = [];
  resources.add("redis", () => order.push("redis"));
  resources.add("queue", () => {
    throw new Error("queue is stuck");
  });
  resources.add("socket", () => new Promise(() => {}));
  resources.add("listener", () => order.push("listener"));
  expect(await resources.close(10)).toEqual([
    { name: "socket", reason: "did not stop in time" },
    { name: "queue", reason: "queue is stuck" },
  ]);
  expect(order).toEqual(["listener", "redis"]);
});

it("releases each once", async () => {
  const resources = createResources();
  let released = 0;
  resources.add("redis", () => {
    released += 1;
  });
  await resources.close(1_000);
  await resources.close(1_000);
  expect(released).toBe(1);
});
