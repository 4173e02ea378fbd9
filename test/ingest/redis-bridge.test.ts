/** What services publish on people's own Redis channels, taken in by real processes of Redis. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EventAuditEntry } from "../../src/ingest/event-audit.ts";
import {
  createRedisBridge,
  type BridgeOutcome,
  type RedisBridge,
  type RedisBridgeOptions,
} from "../../src/ingest/redis-bridge.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { Problem } from "../../src/platform/problems.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { openIntakeScene, templates, type IntakeScene } from "./intake-scene.ts";

let scene: IntakeScene;
const closing: (() => Promise<void>)[] = [];
/** Whom each test is about: what other suites publish at the same time is none of its business. */
let user: string;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

beforeEach(() => {
  user = `test_user_${randomUUID()}`;
  scene.queued.length = 0;
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Listening {
  readonly redis: Redis;
  readonly bridge: RedisBridge;
  readonly outcomes: BridgeOutcome[];
  readonly audited: EventAuditEntry[];
}

async function listen(changes: Partial<RedisBridgeOptions> = {}): Promise<Listening> {
  const redis = connectRedis(scene.store.url, "subscriber");
  const outcomes: BridgeOutcome[] = [];
  const audited: EventAuditEntry[] = [];
  const bridge = createRedisBridge({
    redis,
    templates,
    accept: scene.accept,
    exposeStorageIds: false,
    audit: {
      async add(entry) {
        if (entry.user_id === undefined || entry.user_id === user) audited.push(entry);
      },
    },
    logger: createSilentLogger(),
    onMessage(channel, outcome) {
      if (channel.includes(user)) outcomes.push(outcome);
    },
    ...changes,
  });
  closing.push(async () => {
    await bridge.close();
    redis.disconnect();
  });
  await bridge.start();
  return { redis, bridge, outcomes, audited };
}

const slotAssigned = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  event: "essay_slot_assigned",
  data: {
    batch_id: "batch-123",
    essay_id: "essay-456",
    file_upload_id: "upload-789",
    filename: "student_essay.txt",
    slot_index: 3,
    timestamp: "2026-09-14T10:30:00Z",
  },
  ...changes,
});

async function publish(message: unknown, channel = `ws:${user}`): Promise<void> {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  await scene.store.redis.publish(channel, text);
}

async function notes() {
  return [...(await scene.ledger.fetch(scene.queued)).values()].filter(
    ({ userId }) => userId === user,
  );
}

const told = ({ outcomes }: Listening): string[] =>
  outcomes.map((outcome) => (outcome.kind === "dropped" ? outcome.reason : outcome.kind));

describe("a message on a person's channel", () => {
  it("becomes their notification", async () => {
    const listening = await listen();
    await publish(slotAssigned({ correlation_id: "c-1" }));
    await expect.poll(() => told(listening)).toEqual(["accepted"]);
    expect(await notes()).toMatchObject([
      {
        userId: user,
        templateId: "essay_slot_assigned",
        callerId: "redis-bridge",
        request: {
          correlation_id: "c-1",
          data: { batch_id: "batch-123", slot_index: 3, timestamp: "2026-09-14T10:30:00Z" },
        },
      },
    ]);
  });

  it("may have its time beside the data, no slot, null for a name, and ids of the store", async () => {
    const listening = await listen();
    await publish({
      event: "essay_slot_assigned",
      timestamp: "2026-09-14T10:30:00+00:00",
      data: {
        batch_id: "batch-123",
        essay_id: "essay-456",
        file_upload_id: "upload-789",
        filename: null,
        text_storage_id: "text-1",
      },
    });
    await expect.poll(() => told(listening)).toEqual(["accepted"]);
    const [note] = await notes();
    expect(note?.request?.data).toMatchObject({ timestamp: "2026-09-14T10:30:00+00:00" });
    expect(note?.request?.data).not.toHaveProperty("text_storage_id");
  });

  it("shows ids of the store where the installation says so", async () => {
    const listening = await listen({ exposeStorageIds: true });
    await publish(slotAssigned({ data: { batch_id: "b", text_storage_id: "text-1" } }));
    await expect.poll(() => told(listening)).toEqual(["accepted"]);
    expect((await notes())[0]?.request?.data).toHaveProperty("text_storage_id", "text-1");
  });

  it("is one notification though several processes hear it", async () => {
    const both = [await listen(), await listen(), await listen()];
    await publish(slotAssigned());
    await expect
      .poll(() => both.flatMap(told).toSorted())
      .toEqual(["accepted", "repeated", "repeated"]);
    expect(await notes()).toHaveLength(1);
  });

  it("keeps its place among others of the same person", async () => {
    const listening = await listen();
    const pipeline = scene.store.redis.pipeline();
    for (let slot = 0; slot < 600; slot += 1) {
      const data = { batch_id: "b", slot_index: slot };
      pipeline.publish(`ws:${user}`, JSON.stringify(slotAssigned({ data })));
    }
    await pipeline.exec();
    await expect.poll(() => listening.outcomes.length).toBe(600);
    const byId = await scene.ledger.fetch(scene.queued);
    const slots = scene.queued.map((id) => byId.get(id)?.request?.data["slot_index"]);
    expect(slots).toEqual(Array.from({ length: 600 }, (_, slot) => slot));
  });
});

describe("a message that cannot be used", () => {
  const wrong: [string, unknown, string][] = [
    ["no JSON", "hello", "invalid_message"],
    ["no object", [1], "invalid_message"],
    ["no data", { event: "essay_slot_assigned" }, "invalid_message"],
    ["no event", { data: {} }, "invalid_message"],
    ["a name that changes objects", '{"event":"x","data":{"__proto__":{}}}', "invalid_message"],
    ["too deep", `${"[".repeat(200)}${"]".repeat(200)}`, "invalid_message"],
    ["an unknown event", { event: "unheard_of", data: {} }, "unknown_event"],
    ["a field of the wrong type", slotAssigned({ data: { batch_id: 7 } }), "refused"],
    [
      "a support plan",
      {
        event: "iep_meeting_reminder",
        data: { student_name: "S", meeting_date: "2026-09-15T14:00:00Z" },
      },
      "refused",
    ],
    ["too long", slotAssigned({ filler: "x".repeat(40_000) }), "too_long"],
  ];

  it.each(wrong)("is dropped, counted and audited: %s", async (_what, message, reason) => {
    const listening = await listen();
    await publish(message);
    await publish(slotAssigned());
    await expect.poll(() => told(listening)).toEqual([reason, "accepted"]);
    await expect
      .poll(() => listening.audited)
      .toEqual([
        expect.objectContaining({ action: "dropped", code: reason, caller: "redis-bridge" }),
      ]);
    expect(await notes()).toHaveLength(1);
  });

  it("is one on a channel that names no user", async () => {
    const listening = await listen();
    await publish(slotAssigned(), `ws:${user}:b`);
    await publish(slotAssigned(), `ws:${user}*`);
    await expect.poll(() => told(listening)).toEqual(["invalid_channel", "invalid_channel"]);
  });
});

describe("when more comes than can be taken", () => {
  it("drops what finds no room, says how much, and goes on", async () => {
    const gate = Promise.withResolvers<void>();
    const listening = await listen({
      accept: async (submissions, caller) => {
        await gate.promise;
        return scene.accept(submissions, caller);
      },
    });
    let heard = 0;
    listening.redis.on("pmessage", () => (heard += 1));
    const pipeline = scene.store.redis.pipeline();
    for (let at = 0; at < 6_000; at += 1) {
      pipeline.publish(`ws:${user}`, JSON.stringify(slotAssigned({ data: { slot_index: at } })));
    }
    await pipeline.exec();
    await expect.poll(() => heard).toBe(6_000);
    gate.resolve();
    await expect.poll(() => listening.outcomes.length).toBe(6_000);
    const dropped = told(listening).filter((reason) => reason === "buffer_full").length;
    expect(dropped).toBeGreaterThan(0);
    expect(told(listening).filter((kind) => kind === "accepted")).toHaveLength(6_000 - dropped);
    expect(listening.audited.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(dropped);
  });

  it("drops what comes while nothing can be accepted, and takes what comes afterwards", async () => {
    let full = true;
    const listening = await listen({
      accept: (submissions, caller) =>
        full
          ? Promise.reject(new Problem("unavailable", "Storage is nearly full."))
          : scene.accept(submissions, caller),
    });
    await publish(slotAssigned());
    await expect.poll(() => told(listening)).toEqual(["unavailable"]);
    full = false;
    await publish(slotAssigned());
    await expect.poll(() => told(listening)).toEqual(["unavailable", "accepted"]);
  });
});

it("finishes what it heard before it closes, and hears nothing afterwards", async () => {
  const listening = await listen();
  await publish(slotAssigned());
  await expect.poll(() => told(listening)).toEqual(["accepted"]);
  await listening.bridge.close();
  await publish(slotAssigned({ correlation_id: "later" }));
  const witness = await listen();
  await publish(slotAssigned({ correlation_id: "last" }));
  await expect.poll(() => told(witness)).toEqual(["accepted"]);
  expect(told(listening)).toEqual(["accepted"]);
});
