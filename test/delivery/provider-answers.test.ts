/** What a provider said counts at once, whatever becomes of the addresses it said it of. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Note } from "../../src/tracking/note.ts";
import { openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import {
  BUSY_SERVICE,
  DOWN,
  openScene,
  OTHER_SERVICE,
  TAKEN,
  type Scene,
} from "./provider-scene.ts";

let book: TestLedger;
let scene: Scene;

beforeEach(async () => {
  book = await openTestLedger();
  scene = openScene(book);
});
afterEach(() => book.store.close());

/** Failures in a row, by which a push service is taken for down. */
const OPENS_AT = 5;
const GONE = { kind: "gone" } as const;
const BUSY_BROWSER = `${BUSY_SERVICE}/push/1`;
const OTHER_BROWSER = `${OTHER_SERVICE}/push/1`;

const pushNote = async (): Promise<Note> =>
  await book.create({
    userId: "person",
    stage: "push",
    channels: { websocket: book.shut(), push: book.open(), sms: book.shut() },
    dueAt: book.clock.now(),
  });

const soon = (): number => book.clock.now() + 60_000;

describe("a browser that a push is to be tried again on", () => {
  it("and that unsubscribes meanwhile, is not waited for", async () => {
    scene.endpoints.set("person", [BUSY_BROWSER]);
    scene.answers.set(BUSY_SERVICE, DOWN);
    const { id } = await pushNote();
    await scene.run(book.clock.now() + 1);
    scene.endpoints.set("person", []);
    await scene.run(soon());
    expect(await book.read(id)).toMatchObject({
      status: "stored",
      channels: { push: { state: "skipped", reason: "no_subscription" } },
    });
  });

  it("and that another notification finds gone, is not waited for", async () => {
    scene.endpoints.set("person", [BUSY_BROWSER]);
    scene.answers.set(BUSY_SERVICE, DOWN);
    const notes = [await pushNote(), await pushNote(), await pushNote()];
    await scene.run(book.clock.now() + 1);
    scene.answers.set(BUSY_SERVICE, GONE);
    await scene.run(soon());
    for (const { id } of notes) expect((await book.read(id)).stage).toBeNull();
    // The first that was told so is enough.
    expect(scene.asked.get(BUSY_SERVICE)).toBe(4);
  });

  it("and that is replaced by another, leaves the push to that one", async () => {
    scene.endpoints.set("person", [BUSY_BROWSER]);
    scene.answers.set(BUSY_SERVICE, DOWN);
    const { id } = await pushNote();
    await scene.run(book.clock.now() + 1);
    scene.endpoints.set("person", [OTHER_BROWSER]);
    scene.answers.set(OTHER_SERVICE, GONE);
    await scene.run(soon());
    expect((await book.read(id)).channels.push).toMatchObject({ state: "failed", reason: "gone" });
  });
});

describe("a push service that is found to be back, and too busy", () => {
  it("is not asked again by who was told to wait, before that is over", async () => {
    scene.endpoints.set("person", [BUSY_BROWSER]);
    scene.answers.set(BUSY_SERVICE, DOWN);
    const asked = (): number => scene.asked.get(BUSY_SERVICE) ?? 0;
    const { id } = await pushNote();
    while (asked() < OPENS_AT) await scene.run(book.clock.now() + 1);
    scene.answers.set(BUSY_SERVICE, {
      kind: "retry",
      throttled: true,
      afterMs: 200_000,
      detail: "",
    });
    while (asked() === OPENS_AT) await scene.run(book.clock.now() + 1);
    await scene.run(book.clock.now() + 190_000);
    expect(asked()).toBe(OPENS_AT + 1);
    scene.answers.set(BUSY_SERVICE, TAKEN);
    await scene.run(book.clock.now() + 300_000);
    expect((await book.read(id)).status).toBe("delivered");
  });
});

describe("what cannot be put down about an address", () => {
  beforeEach(() => {
    scene.storing = "fails";
  });

  it("does not hide that another browser took the push", async () => {
    scene.endpoints.set("person", [BUSY_BROWSER, OTHER_BROWSER]);
    scene.answers.set(BUSY_SERVICE, GONE);
    scene.answers.set(OTHER_SERVICE, TAKEN);
    const { id } = await pushNote();
    await scene.run(soon());
    expect((await book.read(id)).status).toBe("delivered");
    expect(scene.asked.get(OTHER_SERVICE)).toBe(1);
  });

  it("does not turn an SMS that was refused into one that may have been sent", async () => {
    scene.answers.set("twilio", { kind: "opted_out" });
    const { id } = await book.create({
      stage: "sms",
      channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
      dueAt: book.clock.now(),
      request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    });
    await scene.run(soon());
    expect((await book.read(id)).channels.sms).toMatchObject({
      state: "skipped",
      reason: "opted_out",
    });
  });
});

describe("that a person opted out", () => {
  it.each([
    ["is put down where their provider says so", {}, 1],
    [
      "is not put down anew where it was read, as a START may have come since",
      { isKnown: true },
      0,
    ],
  ] as const)("%s", async (_what, known, times) => {
    scene.answers.set("twilio", { kind: "opted_out", ...known });
    await book.create({
      stage: "sms",
      channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
      dueAt: book.clock.now(),
      request: { data: {}, correlation_id: "c", phone_number: "+46701234567" },
    });
    await scene.run(soon());
    expect(scene.optedOut).toHaveLength(times);
  });
});
