/** What is not ours fails: Kafka, push services, the SMS provider, clients, the machine's clock. */
import { setTimeout as delay } from "node:timers/promises";
import { CLOCK_UNITS } from "../clocks.ts";
import type { Fault } from "./fault.ts";
import type { Weather } from "../stage/weather.ts";

const MIN_BROKER_AWAY_MS = 500;
const MAX_BROKER_AWAY_MS = 4_000;
const MIN_VISIT_MS = 500;
const MAX_VISIT_MS = 4_000;
const MIN_WEATHER_MS = 4_000;
const MAX_WEATHER_MS = 10_000;
const MIN_UNREAD_MS = 3_000;
const MAX_UNREAD_MS = 12_000;
const UNRULY_SHARE = 0.3;
const MAX_STEP_MS = 90_000;
const MIN_STEP_MS = 5_000;
/** Shorter, and longer, than processes wait before they compare their clock with that of Redis again. */
const STEPPED_MS = [6_000, 40_000] as const;
/** A few seconds' retry is honoured, and over within the run. */
export const RETRY_AFTER_SECONDS = 3;

export function brokerRestart(how: "stop" | "kill"): Fault {
  return {
    path: "kafka",
    async strike({ kafka, random, now }) {
      await kafka[how]();
      await delay(random.whole(MIN_BROKER_AWAY_MS, MAX_BROKER_AWAY_MS));
      await kafka.start();
      return { liftedAt: now() };
    },
  };
}

/** Somebody joins the group of the ingest role, takes a part of its topics, and leaves or dies. */
export function stranger(how: "visits" | "dies"): Fault {
  return {
    path: "kafka",
    async strike({ kafka, reading, random, now }) {
      if (how === "dies") await kafka.vanish(reading);
      else await kafka.visit(reading, random.whole(MIN_VISIT_MS, MAX_VISIT_MS));
      return { liftedAt: now() };
    },
  };
}

/** Producers that were not told of their success write everything again. */
export const repeatedRecords: Fault = {
  path: "kafka",
  async strike({ kafka, reading, now }) {
    for (const topic of reading.topics) await kafka.repeat(topic, 2);
    return { liftedAt: now() };
  },
};

/** One push service of several, for a while. */
export function pushWeather(weather: Weather): Fault {
  return {
    path: "push",
    async strike({ providers, random, now }) {
      const [first, ...others] = providers.pushOrigins;
      if (first === undefined) throw new Error("there is no push service");
      const origin = random.pick([first, ...others]);
      providers.pushWeather(weather, origin);
      await delay(random.whole(MIN_WEATHER_MS, MAX_WEATHER_MS));
      providers.pushWeather({ kind: "fine" }, origin);
      return { liftedAt: now() };
    },
  };
}

/** The SMS provider, for a while. */
export function smsWeather(weather: Weather): Fault {
  return {
    path: "sms",
    async strike({ providers, random, now }) {
      providers.smsWeather(weather);
      await delay(random.whole(MIN_WEATHER_MS, MAX_WEATHER_MS));
      providers.smsWeather({ kind: "fine" });
      return { liftedAt: now() };
    },
  };
}

export const unreadSockets: Fault = {
  path: "websocket",
  async strike({ audience, random, now }) {
    await audience.stopReading(UNRULY_SHARE, random.whole(MIN_UNREAD_MS, MAX_UNREAD_MS));
    return { liftedAt: now() };
  },
};

export const vanishedSockets: Fault = {
  path: "websocket",
  strike({ audience, now }) {
    audience.vanish(UNRULY_SHARE);
    return Promise.resolve({ liftedAt: now() });
  },
};

/** A clock jumps ahead or back, stays wrong for a while, and is put right. */
export function clockStep(whose: "process" | "redis"): Fault {
  return {
    path: "websocket",
    needs: "single",
    stepsClocks: true,
    async strike({ clocks, random, now }) {
      const stepMs = random.whole(MIN_STEP_MS, MAX_STEP_MS) * random.pick([1, -1]);
      const name = whose === "redis" ? "redis" : random.pick(CLOCK_UNITS);
      await clocks.step(name, stepMs);
      await delay(random.pick(STEPPED_MS));
      await clocks.step(name, -stepMs);
      return { liftedAt: now() };
    },
  };
}
