/** 200 people with three browsers each, over https: a third of the browsers gone, a tenth throttled. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Note } from "../../src/tracking/note.ts";
import { createRandom } from "../support/random.ts";
import { openPushScene, type PushScene } from "./push-scene.ts";

const PEOPLE = 200;
const BROWSERS_EACH = 3;
const RETRY_AFTER_MS = 30_000;

type Fate = "gone" | "throttled" | "alive";

let scene: PushScene;
const fates = new Map<string, Fate>();
const endpoints = new Map<string, string[]>();

beforeAll(async () => {
  scene = await openPushScene();
  const all = PEOPLE * BROWSERS_EACH;
  const dealt: Fate[] = Array.from({ length: all }, (_, at) => {
    if (at < all / 3) return "gone";
    return at < all / 3 + all / 10 ? "throttled" : "alive";
  });
  const shuffled = createRandom(6).shuffle(dealt);
  for (let person = 0; person < PEOPLE; person += 1) {
    const userId = `teacher-${person}`;
    const own: string[] = [];
    for (let browser = 0; browser < BROWSERS_EACH; browser += 1) {
      const endpoint = await scene.subscribe(userId);
      own.push(endpoint);
      const fate = shuffled[person * BROWSERS_EACH + browser] ?? "alive";
      fates.set(endpoint, fate);
      if (fate === "throttled") {
        const headers = { "retry-after": String(RETRY_AFTER_MS / 1_000) };
        scene.service.script(endpoint, { status: 429, headers, times: 1 });
      } else if (fate === "gone") {
        // Half of them are unknown to the push service, half say so.
        if (person % 2 === 0) scene.service.script(endpoint, { status: 410 });
        else scene.service.script(endpoint, { status: 404 });
      }
    }
    endpoints.set(userId, own);
  }
});
afterAll(() => scene.close());

const fatesOf = (userId: string): (Fate | undefined)[] =>
  (endpoints.get(userId) ?? []).map((endpoint) => fates.get(endpoint));

async function notifyAll(): Promise<Note[]> {
  const notes: Note[] = [];
  for (const userId of endpoints.keys()) notes.push(await scene.note(userId, { sms: "shut" }));
  return await scene.settle(notes);
}

const timesOf = (endpoint: string): number[] =>
  scene.requests.filter((request) => request.endpoint === endpoint).map(({ at }) => at);

it("everybody who can be reached is, once their push service wants it", async () => {
  const notes = await notifyAll();
  for (const note of notes) {
    const reachable = fatesOf(note.userId).some((fate) => fate !== "gone");
    expect([note.userId, note.channels.push.state, note.channels.push.reason]).toEqual(
      reachable ? [note.userId, "delivered", null] : [note.userId, "failed", "gone"],
    );
  }
  const settledBy = (wanted: (fate: (Fate | undefined)[]) => boolean): number =>
    notes.filter(({ userId }) => wanted(fatesOf(userId))).length;
  // The deal has all kinds of people.
  expect(settledBy((own) => own.every((fate) => fate === "gone"))).toBeGreaterThan(3);
  const onlyThrottled = (own: (Fate | undefined)[]): boolean =>
    !own.includes("alive") && own.includes("throttled");
  expect(settledBy(onlyThrottled)).toBeGreaterThan(3);

  for (const [endpoint, fate] of fates) {
    const [first, second, ...more] = timesOf(endpoint);
    if (fate !== "throttled") {
      expect([endpoint, timesOf(endpoint).length]).toEqual([endpoint, 1]);
      continue;
    }
    expect(more).toEqual([]);
    if (second === undefined) continue;
    expect(second - (first ?? 0)).toBeGreaterThanOrEqual(RETRY_AFTER_MS);
  }
  for (const { userId } of notes) {
    if (!onlyThrottled(fatesOf(userId))) continue;
    const tries = (endpoints.get(userId) ?? []).map((endpoint) => timesOf(endpoint).length);
    expect([userId, Math.max(...tries)]).toEqual([userId, 2]);
  }
});

it("what is gone is pruned once, and never asked again", async () => {
  const gone = [...fates].filter(([, fate]) => fate === "gone").map(([endpoint]) => endpoint);
  expect(new Set(scene.pruned.keys())).toEqual(new Set(gone));
  expect(new Set(scene.pruned.values())).toEqual(new Set([1]));
  for (const [userId, own] of endpoints) {
    const living = own.filter((endpoint) => fates.get(endpoint) !== "gone");
    expect((await scene.endpointsOf(userId)).toSorted()).toEqual(living.toSorted());
  }

  const before = scene.requests.length;
  const notes = await notifyAll();
  const asked = new Set(scene.requests.slice(before).map(({ endpoint }) => endpoint));
  expect(gone.filter((endpoint) => asked.has(endpoint))).toEqual([]);
  for (const { userId, channels } of notes) {
    const left = fatesOf(userId).some((fate) => fate !== "gone");
    expect([userId, channels.push.state, channels.push.reason]).toEqual(
      left ? [userId, "delivered", null] : [userId, "skipped", "no_subscription"],
    );
  }
});
