/** Of one teacher nothing overtakes what came before it in the partition. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe("the order", () => {
  it("of a teacher's notifications is that of the partition", async () => {
    const teachers = Array.from({ length: 9 }, (_, at) => `teacher-${at}`);
    const records = Array.from({ length: 400 }, (_, at) =>
      recordOf(
        envelopeOf(
          batchCompleted({
            teacher_id: teachers[(at * 7) % teachers.length],
            payload: { batch_id: `b${String(at).padStart(3, "0")}` },
          }),
        ),
        { timestamp: scene.clock.now() },
      ),
    );
    await scene.take(records.slice(0, 250));
    await scene.take(records.slice(250));
    const byId = await scene.ledger.fetch(scene.queued);
    const queuedFor = (user: string) =>
      scene.queued.flatMap((id) => {
        const note = byId.get(id);
        return note?.userId === user ? [String(note.request?.data["batch_id"])] : [];
      });
    for (const teacher of teachers) {
      const batches = queuedFor(teacher);
      expect(batches).toEqual(batches.toSorted());
      expect(batches.length).toBeGreaterThan(40);
    }
    expect(scene.queued).toHaveLength(400);
  });
});
