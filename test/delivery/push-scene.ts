/** The push stage as it is wired in earnest, with a push service that speaks https, and a clock of the test's. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { guardChannel } from "../../src/channels/breaker/guarded-channel.ts";
import { originOfEndpoint } from "../../src/channels/breaker/settings.ts";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import { createPushChannel } from "../../src/channels/push/push-channel.ts";
import { createSubscriptionStore } from "../../src/channels/push/subscriptions.ts";
import { createVapidFaults } from "../../src/channels/push/vapid-faults.ts";
import { createVapidKeys } from "../../src/channels/push/vapid-keys.ts";
import { createPushStage } from "../../src/delivery/push-stage.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import type { Note } from "../../src/tracking/note.ts";
import { createTestBreakers } from "../channels/breaker/test-breakers.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { createThrowawayAuthority } from "../support/throwaway-authority.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { createTestDesk } from "./test-desk.ts";

export const PROVIDER_TIMEOUT_MS = 10_000;
export const VAPID = makeVapidPair();
const PHONE = "+46701234567";

/** What came to the push service, and when by the test's clock. */
export interface Request {
  readonly endpoint: string;
  readonly at: number;
  readonly status: number | undefined;
}

export interface PushScene {
  readonly book: TestLedger;
  readonly service: PushService;
  readonly requests: readonly Request[];
  /** Error lines about our keys. */
  readonly alerts: readonly unknown[];
  /** How often each subscription was pruned, by its endpoint. */
  readonly pruned: ReadonlyMap<string, number>;
  /** A browser of this person; its endpoint. */
  subscribe(userId: string): Promise<string>;
  endpointsOf(userId: string): Promise<string[]>;
  /** A note at its push stage; an SMS could follow. */
  note(userId: string, changes?: { readonly sms?: "shut" }): Promise<Note>;
  /** Works what is due at the push stage now. */
  work(): Promise<void>;
  /** Works and turns the clock until the push stage has done with all of these. */
  settle(notes: readonly Note[]): Promise<Note[]>;
  close(): Promise<void>;
}

const STEP_MS = 500;
const MAX_MS = 3_600_000;

/** @param trusted whether the authority of the push service is known here */
export async function openPushScene({ trusted = true } = {}): Promise<PushScene> {
  const book = await openTestLedger();
  const { clock, store, ledger } = book;
  const authority = createThrowawayAuthority();
  const known = getCACertificates("default");
  // What NODE_EXTRA_CA_CERTS does at the start of a process.
  if (trusted) setDefaultCACertificates([...known, authority.ca]);
  const requests: Request[] = [];
  const service = await startPushService({
    certificate: authority.server,
    now: () => clock.now(),
    onArrival: ({ message: { endpoint, status } }) => {
      requests.push({ endpoint, at: clock.now(), status });
    },
  });
  const alerts: unknown[] = [];
  const channel = createPushChannel({
    settings: {
      keys: createVapidKeys(VAPID),
      subject: "mailto:operator@example.org",
      timeoutMs: PROVIDER_TIMEOUT_MS,
    },
    policy: createEndpointPolicy([service.origin]),
    clock,
    faults: createVapidFaults({
      clock,
      logger: { error: (line: unknown) => void alerts.push(line), info: () => {} },
      onRefused: () => {},
      onChange: () => {},
    }),
  });
  const subscriptions = createSubscriptionStore({
    ...store,
    clock,
    sealing: createSealing(Buffer.alloc(32, 1)),
  });
  const pruned = new Map<string, number>();
  const endpoints = new Map<string, string>();
  const stage = createPushStage({
    desk: createTestDesk({ clock, ledger }),
    clock,
    leaseMs: LEASE_MS,
    random: () => 0.5,
    channel: guardChannel({
      channel,
      breakers: createTestBreakers("push", clock),
      originOf: ({ endpoint }) => originOfEndpoint(endpoint),
    }),
    subscriptions: {
      list: (userId) => subscriptions.list(userId),
      async prune(userId, id) {
        const endpoint = endpoints.get(id) ?? id;
        pruned.set(endpoint, (pruned.get(endpoint) ?? 0) + 1);
        await subscriptions.prune(userId, id);
      },
    },
    messages: {
      push: ({ id }) => ({
        noteId: id,
        payload: JSON.stringify({ notification_id: id }),
        ttlSeconds: 3_600,
        urgency: "high",
        topic: id.replaceAll("-", ""),
      }),
    },
    condemn: async () => {},
    smsEnabled: true,
    criticalBudgetMs: 10_000,
  });

  async function work(): Promise<void> {
    for (let shard = 0; shard < store.keyspace.shards; shard += 1) {
      const due = await ledger.leaseDue(shard, LEASE_MS, 1_000);
      await stage.process(due.filter((item) => item.stage === "push"));
    }
  }

  const readAll = async (notes: readonly Note[]): Promise<Note[]> => {
    const found = await ledger.fetch(notes.map(({ id }) => id));
    return notes.map(({ id }) => {
      const note = found.get(id);
      if (note === undefined) throw new Error("a note is not there");
      return note;
    });
  };

  return {
    book,
    service,
    requests,
    alerts,
    pruned,
    work,
    async subscribe(userId) {
      const browser = service.subscribe(VAPID.publicKey);
      const { subscriptionId } = await subscriptions.put(userId, browser);
      endpoints.set(subscriptionId, browser.endpoint);
      return browser.endpoint;
    },
    async endpointsOf(userId) {
      return (await subscriptions.list(userId)).map(({ endpoint }) => endpoint);
    },
    note: (userId, { sms } = {}) =>
      book.create({
        userId,
        stage: "push",
        channels: {
          websocket: book.shut(),
          push: book.open(),
          sms: sms === "shut" ? book.shut() : book.open(),
        },
        request: { data: {}, correlation_id: "c", phone_number: PHONE },
        dueAt: clock.now(),
      }),
    async settle(notes) {
      const end = clock.now() + MAX_MS;
      for (;;) {
        await work();
        const read = await readAll(notes);
        if (read.every(({ stage: at }) => at !== "push")) return read;
        if (clock.now() > end) throw new Error("the push stage does not come to an end");
        clock.advance(STEP_MS);
      }
    },
    async close() {
      await channel.close();
      await service.close();
      setDefaultCACertificates(known);
      await store.close();
    },
  };
}
