/** Redis takes the notes of a chunk and then not their envelopes: the chunk comes again. */
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  batchCompleted,
  envelopeOf,
  openIntakeScene,
  recordOf,
  type IntakeScene,
} from "./intake-scene.ts";

let scene: IntakeScene;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

it("what could not be queued is handed over again, and queued in its order", async () => {
  let away = true;
  const queued: string[] = [];
  const accept = scene.acceptWith({
    enqueue: async (items) => {
      if (away) throw new Error("Connection is closed.");
      queued.push(...items.map(({ id }) => id));
    },
  });
  const handler = scene.intake({ accept });
  const timestamp = scene.clock.now();
  const records = Array.from({ length: 5 }, () =>
    recordOf(envelopeOf(batchCompleted()), { timestamp }),
  );

  await expect(handler(records)).rejects.toMatchObject({ code: "unavailable" });
  expect(scene.outcomes).toEqual([]);

  away = false;
  const outcomes = await scene.take(records, handler);
  expect(outcomes.map(({ kind }) => kind)).toEqual(Array(5).fill("repeated"));
  expect(queued).toEqual(
    outcomes.map((outcome) => ("notificationId" in outcome ? outcome.notificationId : "none")),
  );
  expect(await scene.notes(outcomes)).toHaveLength(5);
});
