/** The push and the SMS stage behind circuit breakers, with providers that answer as a test says. */
import type { Breakers } from "../../src/channels/breaker/breakers.ts";
import { guardChannel } from "../../src/channels/breaker/guarded-channel.ts";
import { originOfEndpoint } from "../../src/channels/breaker/settings.ts";
import type { Outcome, SmsAddress, SmsMessage } from "../../src/channels/channel.ts";
import { createScriptedChannel } from "../../src/channels/scripted/scripted-channel.ts";
import { NO_SMS_CAPS, type SmsCaps } from "../../src/channels/sms/caps.ts";
import { UNLIMITED_THROUGHPUT, type SmsThroughput } from "../../src/channels/sms/throughput.ts";
import type { Preferences } from "../../src/delivery/preferences.ts";
import { createPushStage } from "../../src/delivery/push-stage.ts";
import { createSmsStage } from "../../src/delivery/sms-stage.ts";
import { createTestBreakers } from "../channels/breaker/test-breakers.ts";
import { LEASE_MS, type TestLedger } from "../tracking/test-ledger.ts";
import { createTestDesk } from "./test-desk.ts";
import { createTestSmsParts } from "./test-sms-parts.ts";

export const CRITICAL_BUDGET_MS = 10_000;
export const DOWN: Outcome = { kind: "retry", detail: "http 503" };
export const SILENT: Outcome = { kind: "unknown", detail: "network timeout" };
export const TAKEN: Outcome = { kind: "delivered" };
export const BUSY_SERVICE = "https://busy.example";
export const OTHER_SERVICE = "https://other.example";

/** One request to an SMS provider. */
export interface Texted {
  readonly provider: string;
  readonly noteId: string;
  readonly outcome: Outcome;
  readonly at: number;
}

export interface Scene {
  /** Requests to SMS providers, oldest first. */
  readonly texted: readonly Texted[];
  /** What push services answer, by origin, and SMS providers, by name. */
  readonly answers: Map<string, Outcome>;
  /** Requests by origin. */
  readonly asked: Map<string, number>;
  readonly breakers: Breakers;
  /** Subscriptions of users: endpoints. */
  readonly endpoints: Map<string, readonly string[]>;
  /** Numbers that were put down as having opted out. */
  readonly optedOut: readonly string[];
  /** Whether subscriptions that are gone and numbers that opted out can be put down. */
  storing: "works" | "fails";
  /** Works everything that is due until nothing is, or until `until`, epoch ms. */
  run(until: number, stepMs?: number): Promise<void>;
}

export interface SceneOptions {
  /** Names of SMS providers in the order in which they are asked. */
  readonly smsProviders?: readonly string[];
  readonly smsCaps?: SmsCaps;
  readonly throughputOf?: (provider: string) => SmsThroughput;
  /** What everybody prefers; every channel, unless told. */
  readonly preferences?: Preferences;
  /** How long an SMS is, in characters of the basic alphabet. */
  readonly smsCharacters?: number;
}

export function openScene(book: TestLedger, options: SceneOptions = {}): Scene {
  const { smsProviders = ["twilio"], smsCaps = NO_SMS_CAPS, smsCharacters = 0 } = options;
  const { throughputOf = () => UNLIMITED_THROUGHPUT } = options;
  const { clock, ledger, store } = book;
  const answers = new Map<string, Outcome>();
  const asked = new Map<string, number>();
  const endpoints = new Map<string, readonly string[]>();
  const texted: Texted[] = [];
  const optedOut: string[] = [];
  const answer = (origin: string): Outcome => {
    asked.set(origin, (asked.get(origin) ?? 0) + 1);
    return answers.get(origin) ?? TAKEN;
  };
  async function put(): Promise<void> {
    if (scene.storing === "fails") throw new Error("Command timed out");
  }
  const { preferences } = options;
  const desk = createTestDesk({
    clock,
    ledger,
    ...(preferences === undefined
      ? {}
      : {
          preferences: {
            readMany: async (ids) => new Map(ids.map((id) => [id, preferences] as const)),
          },
        }),
  });
  const breakers = createTestBreakers("push", clock);
  const provider = { desk, clock, leaseMs: LEASE_MS, random: () => 0.5 };
  const push = createPushStage({
    ...provider,
    channel: guardChannel({
      channel: createScriptedChannel(({ endpoint }: { endpoint: string }) =>
        answer(originOfEndpoint(endpoint)),
      ),
      breakers,
      originOf: ({ endpoint }) => originOfEndpoint(endpoint),
    }),
    subscriptions: {
      list: async (userId) =>
        (endpoints.get(userId) ?? []).map((endpoint) => ({
          subscriptionId: endpoint,
          endpoint,
          keys: { p256dh: "", auth: "" },
        })),
      async prune(userId, subscriptionId) {
        await put();
        const all = endpoints.get(userId) ?? [];
        endpoints.set(
          userId,
          all.filter((endpoint) => endpoint !== subscriptionId),
        );
      },
    },
    messages: {
      push: (note) => ({ noteId: note.id, payload: "", ttlSeconds: 1, urgency: "low", topic: "t" }),
    },
    condemn: async () => {},
    smsEnabled: true,
    criticalBudgetMs: CRITICAL_BUDGET_MS,
  });
  const smsBreakers = createTestBreakers("sms", clock);
  const sms = createSmsStage({
    ...provider,
    providers: smsProviders.map((name) => ({
      name,
      channel: guardChannel({
        channel: createScriptedChannel((_address: SmsAddress, { noteId }: SmsMessage) => {
          const outcome = answer(name);
          texted.push({ provider: name, noteId, outcome, at: clock.now() });
          return outcome;
        }),
        breakers: smsBreakers,
        originOf: () => name,
      }),
      throughput: throughputOf(name),
    })),
    caps: smsCaps,
    optOuts: {
      isOptedOut: async () => false,
      async optOut(number) {
        await put();
        optedOut.push(number);
      },
    },
    toE164: (number) => number,
    messages: { sms: (note) => ({ noteId: note.id, text: "x".repeat(smsCharacters) }) },
    lookup: createTestSmsParts(book, desk).lookup,
  });

  async function work(): Promise<void> {
    for (let shard = 0; shard < store.keyspace.shards; shard += 1) {
      for (const item of await ledger.leaseDue(shard, LEASE_MS, 100)) {
        // One that fails is logged by its queue, and comes back by itself if it must.
        if (item.stage === "push") await push.process([item]).catch(() => {});
        else if (item.stage === "sms") await sms.process([item]).catch(() => {});
      }
    }
  }

  const scene: Scene = {
    texted,
    answers,
    asked,
    breakers,
    endpoints,
    optedOut,
    storing: "works",
    async run(until, stepMs = 500) {
      while (clock.now() < until) {
        await work();
        if ((await ledger.depth()) === 0) return;
        clock.advance(stepMs);
      }
    },
  };
  return scene;
}
