/** A reader of Kafka is killed in the middle of a stream: nothing is lost, and nothing rings twice. */
import { afterEach, beforeEach, describe, it } from "vitest";
import { openTestKafka, type TestKafka } from "../support/kafka.ts";
import { startKillingProxy, type KillPoint } from "../support/killing-proxy.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { FAULTS } from "../trace/faults.ts";
import type { Part } from "../trace/cast.ts";
import type { Scene } from "../trace/replay.ts";
import { expectTermToComeThrough, useLongTests } from "./kafka-term.ts";
import {
  acceptance,
  BEFORE_AND_AFTER,
  eventClaim,
  occurrenceClaim,
  ownerLookup,
  pushed,
} from "./kill-points.ts";

/** Where a kill point is not met within this time, the product no longer takes that step. */
const MOMENT_DEADLINE_MS = 60_000;

let kafka: TestKafka;
let store: TestRedis;

useLongTests();
beforeEach(async () => {
  [kafka, store] = await Promise.all([openTestKafka(), openTestRedis()]);
});
afterEach(async () => {
  await Promise.all([kafka.close(), store.close()]);
});

/** The part's process dies at each of these moments, and another one takes its place. */
function killedAt(part: Part, points: readonly KillPoint[]) {
  return async (scene: Scene): Promise<void> => {
    const { cast } = scene;
    await scene.reached(0.1);
    for (const child of cast.running(part)) await cast.end(child, "stop");
    for (const point of points) {
      const proxy = await startKillingProxy(store.url);
      const met = proxy.reach(point);
      // It may meet its end before it is up.
      cast.start(part, { REDIS_URL: proxy.url }).catch(() => {});
      const [victim] = cast.running(part);
      try {
        await withDeadline(met, `${part} never came to the moment to kill it`);
        if (victim !== undefined) await cast.end(victim, "kill");
      } finally {
        await proxy.close();
      }
    }
    await cast.start(part);
  };
}

async function withDeadline(promise: Promise<unknown>, what: string): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(what)), MOMENT_DEADLINE_MS);
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function term() {
  return {
    servers: kafka.servers,
    topicPrefix: kafka.prefix,
    redisUrl: store.url,
    keyspace: store.keyspace,
  };
}

describe.each(BEFORE_AND_AFTER)("killed just %s a step", (when) => {
  it("every event rings once, at each step of taking it in", async () => {
    const points = [eventClaim, occurrenceClaim, acceptance, pushed("normal")];
    const disturb = killedAt(
      "ingest",
      points.map((point) => point(when)),
    );
    await expectTermToComeThrough({ ...term(), disturb });
  });

  it("every domain event rings once, where the projector looks an owner up", async () => {
    const disturb = killedAt("projector", [ownerLookup(when)]);
    await expectTermToComeThrough({ ...term(), disturb });
  });
});

it("killed three times in the course of the stream, one of two projectors loses nothing", async () => {
  await expectTermToComeThrough({
    ...term(),
    processes: { projector: 2 },
    disturb: (scene) => FAULTS["projector-kill"](scene, { announce: () => {} }),
  });
});
