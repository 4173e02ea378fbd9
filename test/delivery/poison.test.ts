/** A note that no worker survives is put aside so that an operator can send it again once mended. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PushMessage } from "../../src/channels/channel.ts";
import { claim } from "../../src/delivery/provider-steps.ts";
import { createCondemnation, type Condemn } from "../../src/delivery/poison.ts";
import { createPushStage } from "../../src/delivery/push-stage.ts";
import type { StageDesk, StageLedger } from "../../src/delivery/stage-desk.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import type { Note } from "../../src/tracking/note.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { createTestDesk } from "./test-desk.ts";

let book: TestLedger;

beforeEach(async () => {
  book = await openTestLedger();
});
afterEach(() => book.store.close());

const openDesk = (ledger: StageLedger): StageDesk => createTestDesk({ clock: book.clock, ledger });

function openCondemnation(desk: StageDesk): Condemn {
  const { clock, ledger } = book;
  return createCondemnation({ ledger, desk, clock, logger: createSilentLogger() });
}

describe("a condemned note", () => {
  it("fails on every channel that was open, and is found among the dead letters", async () => {
    const { id } = await book.create();
    await openCondemnation(openDesk(book.ledger))("websocket", [{ id, attempt: 0 }]);
    const poison = { state: "failed", reason: "poison" };
    const note = await book.read(id);
    expect(note).toMatchObject({
      status: "failed",
      channels: { websocket: poison, push: poison, sms: poison },
    });
    const { entries } = await book.deadNotes.list({ limit: 10, reason: "poison" });
    expect(entries.map(({ notification_id }) => notification_id)).toEqual([id]);
    expect(await book.counters(note)).toMatchObject({
      "status.failed": "1",
      "websocket.failed": "1",
      "push.failed": "1",
      "sms.failed": "1",
    });
  });

  it("has all its channels again when an operator sends it once more", async () => {
    const { id } = await book.create();
    await openCondemnation(openDesk(book.ledger))("websocket", [{ id, attempt: 0 }]);
    const result = await book.deadNotes.redrive(id, { by: "admin" });
    expect(result).toMatchObject({ kind: "redriven", channels: ["websocket", "push", "sms"] });
    expect(await book.read(id)).toMatchObject({ status: "queued", stage: "websocket" });
  });

  it("whose SMS was begun is not sent again unless an operator names that", async () => {
    const channels = { websocket: book.shut(), push: book.shut(), sms: book.open() };
    const before = await book.create({ stage: "sms", channels });
    await book.apply(claim(before, "sms", book.clock.now(), LEASE_MS));
    await openCondemnation(openDesk(book.ledger))("sms", [before]);
    expect((await book.read(before.id)).channels.sms).toMatchObject({ state: "unknown" });
    expect((await book.deadNotes.redrive(before.id, { by: "admin" })).kind).toBe("refused");
  });

  it("that has moved on meanwhile, or is at another try, is left alone", async () => {
    const note = await book.create();
    const condemn = openCondemnation(openDesk(book.ledger));
    await condemn("push", [note]);
    await condemn("websocket", [{ id: note.id, attempt: 1 }]);
    expect((await book.read(note.id)).status).toBe("queued");
    await book.apply(book.close(note, "websocket", "delivered"));
    await condemn("websocket", [note]);
    expect((await book.read(note.id)).status).toBe("delivered");
  });
});

/** A worker's push stage: when it sends the poison, it does nothing any more, and nor does Redis for it. */
function startMortalStage(poison: string) {
  const death = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  let isDead = false;
  const desk = openDesk({
    fetchToWork: (ids) => book.ledger.fetchToWork(ids),
    advance: (changes) => (isDead ? never : book.ledger.advance(changes)),
  });
  const stage = createPushStage({
    desk,
    clock: book.clock,
    leaseMs: LEASE_MS,
    random: () => 0,
    channel: {
      admit: () => ({
        kind: "admitted",
        isProbe: false,
        release: () => {},
        async send({ noteId }: PushMessage) {
          if (noteId === poison) {
            isDead = true;
            death.resolve();
          }
          return isDead ? await never : { kind: "delivered" };
        },
      }),
    },
    subscriptions: {
      list: async () => [{ subscriptionId: "one", endpoint: "", keys: { p256dh: "", auth: "" } }],
      prune: async () => {},
    },
    messages: {
      push: ({ id }) => ({ noteId: id, payload: "", ttlSeconds: 1, urgency: "low", topic: "t" }),
    },
    condemn: openCondemnation(desk),
    smsEnabled: true,
    criticalBudgetMs: 10_000,
  });
  return { stage, death: death.promise };
}

describe("a push that no worker survives", () => {
  const pushNote = (): Promise<Note> => {
    const channels = { websocket: book.shut(), push: book.open(), sms: book.shut() };
    return book.create({ stage: "push", channels, dueAt: book.clock.now() });
  };

  /** How many workers it takes with it until nothing is left to do. */
  async function deathsOver(poison: Note): Promise<number> {
    const shard = book.store.keyspace.shardOfUser(poison.userId);
    let deaths = 0;
    while ((await book.ledger.depth()) > 0) {
      const { stage, death } = startMortalStage(poison.id);
      const due = await book.ledger.leaseDue(shard, LEASE_MS, 10);
      const end = await Promise.race([
        death.then(() => "died" as const),
        stage.process(due).then(() => "done" as const),
      ]);
      if (end === "died") deaths += 1;
      // Whatever a worker had in hand is left by then, and whatever is to be tried again is due.
      book.clock.advance(LEASE_MS);
    }
    return deaths;
  }

  it("takes five with it, and those beside it in its envelope are delivered", async () => {
    const poison = await pushNote();
    const others = await Promise.all(Array.from({ length: 6 }, pushNote));
    expect(await deathsOver(poison)).toBe(5);
    expect(await book.read(poison.id)).toMatchObject({
      status: "failed",
      channels: { push: { state: "failed", reason: "poison" } },
    });
    for (const { id } of others) expect((await book.read(id)).status).toBe("delivered");
  });

  it("has no guilt left once an operator sends it again", async () => {
    const poison = await pushNote();
    await deathsOver(poison);
    await book.deadNotes.redrive(poison.id, { by: "admin" });
    expect(await deathsOver(poison)).toBe(5);
  });
});
