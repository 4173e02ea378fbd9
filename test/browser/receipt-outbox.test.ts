/** Receipts of a browser that is offline, and what cannot be read, without a browser. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fallbackText } from "../../src/browser/worker/fallback-texts.ts";
import { readPayload, sameOriginUrl, serviceUrl } from "../../src/browser/worker/payload.ts";
import {
  createReceiptOutbox,
  type Receipt,
  type UnsentReceipt,
} from "../../src/browser/worker/receipt-outbox.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import { createManualClock } from "../support/manual-clock.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** An outbox whose server answers with `status`, undefined while it is offline. */
function open(status?: number) {
  const clock = createManualClock();
  let nextKey = 0;
  const scene = {
    clock,
    status,
    /** What the server was asked to take. */
    posted: new Array<Receipt>(),
    kept: new Map<number, UnsentReceipt>(),
    full: false,
    /** What was put back on the screen. */
    putBack: new Array<string>(),
  };
  const outbox = createReceiptOutbox({
    now: () => clock.now(),
    post(receipt) {
      scene.posted.push(receipt);
      return Promise.resolve(scene.status);
    },
    putBack({ title }) {
      scene.putBack.push(title);
      return Promise.resolve();
    },
    store: {
      all: () => Promise.resolve([...scene.kept].map(([key, value]) => ({ key, value }))),
      add(value) {
        if (scene.full) return Promise.reject(new Error("no room"));
        scene.kept.set((nextKey += 1), value);
        return Promise.resolve();
      },
      remove(keys) {
        for (const key of keys) scene.kept.delete(key);
        return Promise.resolve();
      },
    },
  });
  const shown = (receipt: string) => outbox.send({ receipt, event: "shown" });
  return Object.assign(scene, { outbox, shown });
}

const names = (receipts: Iterable<Receipt>): string[] =>
  [...receipts].map(({ receipt }) => receipt);

const OFF_SCREEN = { title: "Consent needed", options: {} };
const SNOOZED = { receipt: "a", event: "snoozed", minutes: 60 } as const;

describe("a receipt that cannot be sent", () => {
  it.each([undefined, 408, 425, 429, 500, 503])(
    "is kept where the answer is %s",
    async (status) => {
      const scene = open(status);
      expect(await scene.shown("a")).toBe("kept");
      expect(await scene.outbox.flush()).toBe(false);
      scene.status = 204;
      expect(await scene.outbox.flush()).toBe(true);
      expect(names(scene.posted)).toEqual(["a", "a", "a"]);
      expect(scene.kept.size).toBe(0);
    },
  );

  it.each([400, 401, 409, 410])("is not kept where the answer is %s", async (status) => {
    const scene = open(status);
    expect(await scene.shown("a")).toBe("refused");
    expect(scene.kept.size).toBe(0);
  });

  it("goes before what is newer, and one that is refused holds up nobody", async () => {
    const scene = open();
    for (const name of ["a", "b", "c"]) await scene.shown(name);
    scene.posted.length = 0;
    expect(await scene.outbox.flush()).toBe(false);
    expect(names(scene.posted)).toEqual(["a"]);
    scene.status = 410;
    scene.posted.length = 0;
    expect(await scene.outbox.flush()).toBe(true);
    expect(names(scene.posted)).toEqual(["a", "b", "c"]);
  });

  it("gives way to newer ones, and is dropped when nobody would take it any more", async () => {
    const scene = open();
    for (let at = 0; at < 105; at += 1) await scene.shown(String(at));
    expect(names([...scene.kept.values()].map(({ receipt }) => receipt))).toEqual(
      Array.from({ length: 100 }, (_each, at) => String(at + 5)),
    );
    scene.clock.advance(6 * DAY_MS + 1);
    scene.posted.length = 0;
    expect(await scene.outbox.flush()).toBe(true);
    expect(scene.posted).toEqual([]);
    expect(scene.kept.size).toBe(0);
  });

  it("puts off for the rest of the time", async () => {
    const scene = open();
    await scene.outbox.send(SNOOZED, OFF_SCREEN);
    scene.clock.advance(45 * MINUTE_MS);
    await scene.outbox.flush();
    expect(scene.posted.at(-1)).toEqual({ receipt: "a", event: "snoozed", minutes: 15 });
    scene.clock.advance(60 * MINUTE_MS);
    scene.status = 200;
    await scene.outbox.flush();
    expect(scene.posted.at(-1)).toEqual({ receipt: "a", event: "snoozed", minutes: 1 });
    expect(scene.putBack).toEqual([]);
  });

  it("puts back what it took off the screen where it is refused, at once or later", async () => {
    const scene = open(409);
    await scene.outbox.send(SNOOZED, OFF_SCREEN);
    expect(scene.putBack).toEqual(["Consent needed"]);
    scene.status = undefined;
    await scene.outbox.send(SNOOZED, OFF_SCREEN);
    expect(scene.putBack).toHaveLength(1);
    scene.status = 409;
    await scene.outbox.flush();
    await scene.outbox.flush();
    expect(scene.putBack).toHaveLength(2);
  });

  it("puts it back where nobody will take it any more, or nothing can be kept", async () => {
    const scene = open();
    await scene.outbox.send(SNOOZED, OFF_SCREEN);
    scene.clock.advance(6 * DAY_MS + 1);
    await scene.outbox.flush();
    scene.full = true;
    await scene.outbox.send(SNOOZED, OFF_SCREEN);
    expect(scene.putBack).toHaveLength(2);
  });

  it("is sent once where two events want to send it at the same time", async () => {
    const scene = open();
    await scene.shown("a");
    scene.status = 204;
    scene.posted.length = 0;
    await Promise.all([scene.outbox.flush(), scene.outbox.flush()]);
    expect(names(scene.posted)).toEqual(["a"]);
  });

  it("is lost without storage, and nothing else is", async () => {
    const scene = open();
    scene.full = true;
    expect(await scene.shown("a")).toBe("kept");
    expect(await scene.outbox.flush()).toBe(true);
  });
});

describe("what cannot be read", () => {
  it("is announced in the words that the server has for it", () => {
    for (const locale of LOCALES) {
      const file = new URL(`../../locales/${locale}/general.json`, import.meta.url);
      const { title, body } = JSON.parse(readFileSync(file, "utf8")).fallback;
      const dir = locale === "ar" ? "rtl" : "ltr";
      expect(fallbackText([locale])).toEqual({ title, body, dir, locale });
    }
  });

  it("is announced in the first of the person's languages that there is", () => {
    expect(readPayload("{", ["fi", "sv-FI", "en"])).toMatchObject({ title: "Ny avisering" });
    expect(readPayload(undefined, ["fi"])).toMatchObject({ title: "New notification" });
    expect(readPayload("[]", ["ar-EG"])).toMatchObject({ dir: "rtl", locale: "ar" });
  });
});

it.each([
  ["https://a.example/sw.js", "https://a.example/receipts"],
  ["https://a.example/bell/sw.js", "https://a.example/bell/receipts"],
  ["https://a.example/sw.js?service=https://bell.example", "https://bell.example/receipts"],
  ["https://a.example/sw.js?service=https://b.example/x/", "https://b.example/x/receipts"],
  ["https://a.example/sw.js?service=javascript:alert(1)", "https://a.example/receipts"],
  ["https://a.example/sw.js?service=nonsense", "https://a.example/receipts"],
])("receipts of the worker at %s go to %s", (worker, receipts) => {
  expect(serviceUrl(worker, "receipts")).toBe(receipts);
});

it.each(["blob:https://a.example/x", "https://a.example.evil/", "https://a.example:444/"])(
  "%s is no page of https://a.example",
  (url) => {
    expect(sameOriginUrl(url, "https://a.example")).toBe("https://a.example/");
  },
);
