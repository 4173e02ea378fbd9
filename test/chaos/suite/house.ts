/** Everything a run needs, started in the right order and stopped in the reverse. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createTokenSigner } from "../../../src/auth/token-signer.ts";
import { makeVapidPair } from "../../../src/platform/key-material.ts";
import { createKeyspace } from "../../../src/platform/keyspace.ts";
import { createResources } from "../../../src/platform/resources.ts";
import { openAudience, type Audience } from "./audience/audience.ts";
import { openDevices } from "./audience/devices.ts";
import { assembleCast, isSecond, type Cast } from "./cast.ts";
import { openClocks, type Clocks } from "./clocks.ts";
import type { Evidence } from "./evidence.ts";
import { createAskedBook } from "./load/asked-book.ts";
import { openEventProducer, type EventProducer } from "./load/producer.ts";
import { createService, type Service } from "./load/service.ts";
import { readPositions } from "./oracle/ledger-reader.ts";
import { collectStatement } from "./oracle/statement.ts";
import type { RunPlan } from "./plan.ts";
import type { Remainder } from "./quiet.ts";
import { createRandom } from "../../support/random.ts";
import { INGEST_TOPICS, openRemainder } from "./remainder.ts";
import type { ChaosKafka, ReadingGroup } from "./stage/chaos-kafka.ts";
import { startProviders, type Providers } from "./stage/providers.ts";
import type { Stand } from "./stand.ts";
import { closeStore, openReader, openStore, type ChaosStore } from "./store.ts";
import { TIMES, type TimesName } from "./times.ts";

const SECRET = "a-secret-for-chaos-runs-that-is-long-enough-for-hs256";
const SENDER_SCOPES = ["notify:send", "notify:send:critical", "analytics:read", "admin"];
const TOKEN_SECONDS = 6 * 3_600;
/** The product's own default. */
const SHARDS = 16;
/** Each an origin of its own, so that one can fail while the others do not. */
const PUSH_SERVICES = 3;
/** Of the push devices that say what they showed. */
const TELLING_SHARE = 0.7;
const STOP_DEADLINE_MS = 60_000;
const UNAVAILABLE = 503;
const RETRY_MS = 500;
const MOST_TRIES = 60;

export interface House {
  readonly cast: Cast;
  readonly store: ChaosStore;
  readonly kafka: ChaosKafka;
  readonly reading: ReadingGroup;
  readonly providers: Providers;
  readonly audience: Audience;
  readonly clocks: Clocks;
  readonly ways: { readonly service: Service; readonly producer: EventProducer };
  /** Requests that were refused and should not have been. */
  readonly refusals: readonly string[];
  /** What is left to do before the account can be taken. */
  readonly remainder: Remainder;
  /** All that was seen and all that the product says; only once nothing is left. */
  evidence(): Promise<Omit<Evidence, "survivedUntil" | "restoredAt">>;
  /** Stops the product as an operator does. */
  stop(): Promise<void>;
  /** Ends everything, whatever state it is in. */
  abandon(): Promise<void>;
}

export interface HouseOptions {
  readonly plan: RunPlan;
  readonly stand: Stand;
  readonly times: TimesName;
  /** Where the product's `src/main.ts` is started; undefined: here. */
  readonly root: string | undefined;
  /** Where the second process of each role is started, if that is somewhere else. */
  readonly besideRoot: string | undefined;
}

/** Starts everything; resolves when all pages are connected. */
export async function openHouse(options: HouseOptions): Promise<House> {
  const resources = createResources();
  try {
    return await furnish({ ...options, resources });
  } catch (error) {
    await resources.close(STOP_DEADLINE_MS);
    throw error;
  }
}

interface Furnishing extends HouseOptions {
  readonly resources: ReturnType<typeof createResources>;
}

async function furnish(options: Furnishing): Promise<House> {
  const { plan, stand, times, root, besideRoot, resources } = options;
  const { people, seed } = plan;
  const random = createRandom(seed).fork("house");
  const name = `chaos-${randomUUID().slice(0, 8)}`;
  const keyspace = createKeyspace({ shards: SHARDS, prefix: `${name}:` });
  const topicPrefix = `${name}.`;
  const group = `${name}-group`;
  const { servers } = stand.kafka;
  const signer = createTokenSigner(SECRET);
  const tokenOf = (userId: string, scopes: readonly string[] = []): Promise<string> =>
    signer.sign({ userId, scopes, ttlSeconds: TOKEN_SECONDS });

  const clocks = await openClocks({ steppable: plan.stepsClocks });
  resources.add("clocks", () => clocks.close());
  const store = await openStore(plan.store, clocks.envOf("redis"));
  resources.add("redis", () => closeStore(store));
  const telling = new Set<string>();
  const browsers = new Map<string, string>();
  const api = (): Promise<string> => cast.address("api");
  const devices = openDevices({ address: api, tells: (endpoint) => telling.has(endpoint) });
  resources.add("devices", () => devices.close());
  const providers = await startProviders({
    pushServices: PUSH_SERVICES,
    onPush: (push) => devices.take(push),
  });
  resources.add("providers", () => providers.close());
  const vapid = makeVapidPair();
  const cast = await assembleCast({
    redisUrl: store.url,
    linked: store.kind === "single",
    rootOf: (unit) => (isSecond(unit) ? (besideRoot ?? root) : root),
    envOf: (name) => clocks.envOf(name),
    env: {
      ...TIMES[times],
      NODE_ENV: "test",
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "warn",
      RATE_LIMITS: "off",
      KEY_PREFIX: keyspace.prefix,
      SHARDS: String(SHARDS),
      JWT_SECRET_KEY: SECRET,
      PUSH_ALLOWED_HOSTS: providers.pushOrigins.join(","),
      TWILIO_ACCOUNT_SID: providers.twilio.accountSid,
      TWILIO_AUTH_TOKEN: providers.twilio.authToken,
      TWILIO_FROM_NUMBER: "+15005550006",
      TWILIO_API_URL: providers.twilio.url,
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
      KAFKA_BOOTSTRAP_SERVERS: servers,
      KAFKA_TOPIC_PREFIX: topicPrefix,
      KAFKA_CONSUMER_GROUP: group,
    },
  });
  resources.add("cast", () => cast.close());

  for (const { userId, devices: count } of people) {
    for (let made = 0; made < count; made += 1) {
      const subscription = providers.subscribe(vapid.publicKey);
      browsers.set(subscription.endpoint, userId);
      if (random.chance(TELLING_SHARE)) telling.add(subscription.endpoint);
      await subscribe(await api(), await tokenOf(userId), subscription);
    }
  }

  const audience = openAudience({
    addressOf: () => cast.address("gateway"),
    token: (userId) => tokenOf(userId),
    people: people
      .filter(({ pages }) => pages > 0)
      .map(({ userId, pages, acknowledges }) => ({ userId, tabs: pages, acks: acknowledges })),
    now: Date.now,
    random: () => random.next(),
  });
  resources.add("audience", () => audience.close());
  await audience.allConnected();

  const book = createAskedBook(Date.now);
  const refusals: string[] = [];
  const producer = await openEventProducer({ servers, topicPrefix, book, now: Date.now });
  resources.add("producer", () => producer.close());
  const service = createService({
    address: api,
    token: await tokenOf("a-service", SENDER_SCOPES),
    book,
    now: Date.now,
    onRefusal: (sentence) => void refusals.push(sentence),
  });
  const reader = await openReader(store);
  resources.add("reader", () => reader.disconnect());
  const remainder = await openRemainder({ servers, topicPrefix, group, redis: reader, keyspace });
  resources.add("remainder", () => remainder.close());
  const everybody = people.map(({ userId }) => userId);
  const statement = () =>
    collectStatement({
      apiUrl: api,
      token: () => tokenOf("an-operator", SENDER_SCOPES),
      redis: reader,
      keyspace,
      servers,
      topicPrefix,
      people: everybody,
    });

  return {
    cast,
    store,
    kafka: stand.kafka,
    reading: { groupId: group, topics: INGEST_TOPICS.map((topic) => `${topicPrefix}${topic}`) },
    providers,
    audience,
    clocks,
    ways: { service, producer },
    refusals,
    async remainder() {
      const left = await remainder.left();
      const positions = await readPositions({ redis: reader, keyspace }, everybody);
      const { pages, of } = audience.connected();
      return [
        ...left,
        ...(await unready(cast)),
        ...(pages === of ? [] : [`${of - pages} pages to connect`]),
        ...audience.behind(positions).map((page) => `${page} is behind`),
        ...(devices.underWay() === 0 ? [] : [`${devices.underWay()} receipts to be taken`]),
      ];
    },
    async evidence() {
      return {
        asked: book.asked(),
        tabs: audience.tabs(),
        pushes: providers.pushes((endpoint, id) => devices.isReceipted(endpoint, id)),
        texts: providers.texts(),
        browsers,
        statement: await statement(),
      };
    },
    stop: () => cast.close(),
    abandon: async () => void (await resources.close(STOP_DEADLINE_MS)),
  };
}

/** Each process comes back by itself, whatever it lost meanwhile. */
async function unready(cast: Cast): Promise<string[]> {
  const sentences = cast.units.map(async ({ name, process }) => {
    const url = await process?.url;
    const response = url === undefined ? undefined : await fetch(`${url}/health/ready`);
    await response?.body?.cancel();
    return response?.status === 200 ? [] : [`${name} is not ready`];
  });
  return (await Promise.all(sentences)).flat();
}

/** As a browser does: again where the product says "later", which a machine full of work may bring about. */
async function subscribe(baseUrl: string, token: string, subscription: object): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`${baseUrl}/push/subscribe`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(subscription),
    });
    const text = await response.text();
    if (response.ok) return;
    if (response.status !== UNAVAILABLE || tries === MOST_TRIES) {
      throw new Error(`a browser could not subscribe: ${text}`);
    }
    await delay(RETRY_MS);
  }
}
