/** The run's own Kafka: a broker that goes and comes, members that come and go, records that come twice. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  createMember,
  SESSION_TIMEOUT_MS,
  startChildMember,
} from "../../../support/kafka-members.ts";
import {
  connectTestKafka,
  startOwnBroker,
  type OwnBroker,
  type TestKafka,
} from "../../../support/kafka.ts";
import { patiently } from "../../../support/retriable.ts";

export interface ReadingGroup {
  readonly groupId: string;
  /** Full names of all that it reads. */
  readonly topics: readonly string[];
}

export interface ChaosKafka extends OwnBroker {
  /**
   * A stranger joins the group, is given a part of what it reads, handles none of it, and leaves.
   * The group is rebalanced twice. Resolves when the stranger is gone.
   */
  visit(group: ReadingGroup, stayMs: number): Promise<void>;
  /**
   * The same, but the stranger dies: what it was given stands still until the broker misses it.
   * Resolves when the broker does.
   */
  vanish(group: ReadingGroup): Promise<void>;
  /**
   * Produces again what a topic holds, as a producer does that was not told of its success.
   * @param topic its full name
   * @param every 1 for each record, 3 for each third
   * @returns how many
   */
  repeat(topic: string, every: number): Promise<number>;
}

const STRANGER = "stranger";
const POLL_MS = 50;
const NEVER_MS = 3_600_000;
/** Every member of a group has a minute to join anew. */
const DEADLINE_MS = 90_000;

export async function startChaosKafka(): Promise<ChaosKafka> {
  const broker = await startOwnBroker();
  let connected: Promise<TestKafka> | undefined;
  const connection = async (): Promise<TestKafka> =>
    await (connected ??= connectTestKafka(broker.servers));

  /** @throws Error if it takes longer than any rebalance */
  async function untilStranger(what: "joined" | "gone", groupId: string): Promise<void> {
    const { admin } = await connection();
    const endsAt = performance.now() + DEADLINE_MS;
    while (performance.now() < endsAt) {
      const [group] = (await patiently(() => admin.describeGroups([groupId]))).groups;
      const isThere = group?.members.some(({ clientId }) => clientId === STRANGER) === true;
      if (what === "gone" ? !isThere : isThere && group.state === "Stable") return;
      await delay(POLL_MS);
    }
    throw new Error(`the stranger in ${groupId} is not ${what} after ${DEADLINE_MS} ms`);
  }

  return {
    ...broker,
    async visit(group, stayMs) {
      const stranger = createMember({
        ...group,
        servers: broker.servers,
        clientId: STRANGER,
        // What is not handled is not committed, and comes to the others afterwards.
        onChunk: async () => await Promise.reject(new Error("not mine")),
      });
      stranger.start();
      try {
        await untilStranger("joined", group.groupId);
        await delay(stayMs);
      } finally {
        await stranger.stop();
      }
      await untilStranger("gone", group.groupId);
    },
    async vanish(group) {
      const dir = await mkdtemp(path.join(tmpdir(), "schoolbell-stranger-"));
      const stranger = startChildMember({
        ...group,
        servers: broker.servers,
        clientId: STRANGER,
        file: path.join(dir, "handled"),
        // It dies with its first chunk in hand.
        chunkMs: NEVER_MS,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
      });
      try {
        await untilStranger("joined", group.groupId);
      } finally {
        await stranger.kill();
        await rm(dir, { recursive: true, force: true });
      }
      await untilStranger("gone", group.groupId);
    },
    async repeat(topic, every) {
      const kafka = await connection();
      const records = (await kafka.readAll(topic)).filter((_, index) => index % every === 0);
      const again = records.map(({ key, value, headers, partition }) => {
        return { key, value, headers, partition };
      });
      if (again.length > 0) await kafka.produce(topic, again);
      return again.length;
    },
    async close() {
      try {
        await (await connected)?.close();
      } finally {
        await broker.close();
      }
    },
  };
}
