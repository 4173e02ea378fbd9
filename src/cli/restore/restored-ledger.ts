/** The ledger of a Redis that came back from a backup: how old it is, what is open in it, what to do. */
import { z } from "zod";
import type { Channel } from "../../contract/vocabulary.ts";
import { giveUp, withholdText } from "../../delivery/restored-notes.ts";
import { configSchema } from "../../platform/config-schema.ts";
import { parseVariables } from "../../platform/config.ts";
import { readProcessEntries } from "../../platform/process-census.ts";
import { mastersOf } from "../../platform/redis-cluster.ts";
import { createSealing } from "../../platform/sealing.ts";
import { auditKey } from "../../tracking/audit.ts";
import { createLedger, type Ledger } from "../../tracking/ledger.ts";
import type { NoteChange } from "../../tracking/ledger-changes.ts";
import { agreedFormats } from "../../tracking/ledger-format.ts";
import type { Note } from "../../tracking/note.ts";
import { findRedisUrl, reachRedis, type OperatorRedis } from "../operator-redis.ts";
import { Failure } from "../run-command.ts";

const environmentSchema = configSchema.pick({
  NODE_ENV: true,
  DATA_DIR: true,
  REDIS_URL: true,
  KEY_PREFIX: true,
  SHARDS: true,
  DATA_ENCRYPTION_KEY: true,
  DUE_LEASE_MS: true,
  NOTE_TTL_SECONDS: true,
  PENDING_TTL_SECONDS: true,
  REPLAY_HISTORY_SIZE: true,
  HISTORY_TTL_SECONDS: true,
  KAFKA_BOOTSTRAP_SERVERS: true,
});

/** Notes looked at and changed together. */
const PAGE = 200;
/** Workers, gateways and API processes listen on channels of their own name. */
const LISTENER = /:(?:worker|node|reply):([^:]+)$/;

export interface Survey {
  /** Epoch ms of the last thing that was written; undefined in an empty ledger. */
  readonly endsAt: number | undefined;
  /** Processes that send or hold sockets, and are connected. */
  readonly living: number;
  readonly unsettled: number;
  /** Unsettled ones that would be taken up by `until`: what became of them may be lost. */
  readonly inDoubt: number;
  /** Of those, how many may still be sent as an SMS. */
  readonly texts: number;
  readonly byStage: Readonly<Record<Channel, number>>;
}

/** `hold-texts`: no SMS of them is sent; `expire`: nothing more of them is. */
export type Treatment = "hold-texts" | "expire";

export interface RestoredLedger {
  /** @param until epoch ms: when the Redis before was lost, or now */
  survey(until: number): Promise<Survey>;
  /** Treats what is in doubt; resolves with how many notes were changed. */
  treat(how: Treatment, until: number): Promise<number>;
  now(): number;
}

/**
 * Opens it, does `work`, and closes it again.
 * @throws Failure if Redis cannot be reached, or a newer version wrote it
 */
export async function withRestoredLedger<T>(
  work: (ledger: RestoredLedger) => Promise<T>,
): Promise<T> {
  const config = parseVariables(environmentSchema, process.env);
  const url = await findRedisUrl(config);
  if (url === undefined) {
    throw new Failure(`REDIS_URL is not set, and no Schoolbell runs on ${config.DATA_DIR}`);
  }
  const found = await reachRedis(url, config);
  try {
    return await work(await openLedger(found, config));
  } finally {
    found.redis.disconnect();
  }
}

async function openLedger(
  found: OperatorRedis,
  config: z.infer<typeof environmentSchema>,
): Promise<RestoredLedger> {
  const { redis, keyspace, clock } = found;
  const formats = await agreedFormats(found);
  if (formats === undefined) throw new Failure("A newer version of Schoolbell wrote this Redis.");
  const ledger = createLedger({
    ...found,
    formats,
    sealing: createSealing(...(config.DATA_ENCRYPTION_KEY ?? [])),
    outcomes: config.KAFKA_BOOTSTRAP_SERVERS !== undefined,
    recipientLimitPerMinute: 0,
    historySize: config.REPLAY_HISTORY_SIZE,
    historySeconds: config.HISTORY_TTL_SECONDS,
    pendingSeconds: config.PENDING_TTL_SECONDS,
    noteSeconds: config.NOTE_TTL_SECONDS,
  });
  // A note that was queued is due when its lease runs out, and worked on long before.
  const horizonOf = (until: number): number => until + config.DUE_LEASE_MS;

  return {
    now: () => clock.now(),

    async survey(until) {
      const entries = [...(await readProcessEntries(found)).values()];
      const byStage: Record<Channel, number> = { websocket: 0, push: 0, sms: 0 };
      let [inDoubt, texts] = [0, 0];
      for await (const notes of notesDue(found, ledger, horizonOf(until))) {
        for (const { stage, channels } of notes) {
          inDoubt += 1;
          if (stage !== null) byStage[stage] += 1;
          if (channels.sms.state === "pending") texts += 1;
        }
      }
      const times = [...entries.map(({ at }) => at), ...(await lastAudited())];
      return {
        endsAt: times.length === 0 ? undefined : Math.max(...times),
        living: await countListeners(),
        unsettled: await countUnsettled(),
        inDoubt,
        texts,
        byStage,
      };
    },

    async treat(how, until) {
      const treated = new Set<string>();
      for await (const notes of notesDue(found, ledger, horizonOf(until))) {
        const now = clock.now();
        const changes = notes.flatMap((note): NoteChange[] => {
          if (how === "expire") return [giveUp(note, now)];
          const change = withholdText(note, now, now + config.DUE_LEASE_MS);
          return change === undefined ? [] : [change];
        });
        const applied = await ledger.advance(changes);
        changes.forEach(({ note }, at) => {
          if (applied[at] === true) treated.add(note.id);
        });
      }
      return treated.size;
    },
  };

  /** Each master knows the channels of its own slots: a worker's lies with one of them. */
  async function countListeners(): Promise<number> {
    const replies = await Promise.all(
      mastersOf(redis).map((server) =>
        server.call("PUBSUB", "SHARDCHANNELS", `${keyspace.prefix}*`),
      ),
    );
    const names = z
      .array(z.array(z.string()))
      .parse(replies)
      .flat()
      .map((channel) => LISTENER.exec(channel)?.[1]);
    return new Set(names.filter((name) => name !== undefined)).size;
  }

  async function countUnsettled(): Promise<number> {
    let sum = 0;
    for (let shard = 0; shard < keyspace.shards; shard += 1) {
      sum += await redis.zcard(keyspace.sharded(shard, "due"));
    }
    return sum;
  }

  /** Of each shard's trail; a stream's ids begin with Redis' time. */
  async function lastAudited(): Promise<number[]> {
    const times: number[] = [];
    for (let shard = 0; shard < keyspace.shards; shard += 1) {
      const [last] = await redis.xrevrange(auditKey(keyspace, shard), "+", "-", "COUNT", 1);
      if (last !== undefined) times.push(Number(last[0].split("-")[0]));
    }
    return times;
  }
}

/** Each unsettled note that is due by then, once; those that are treated meanwhile leave the index. */
async function* notesDue(
  { redis, keyspace }: OperatorRedis,
  ledger: Pick<Ledger, "fetch">,
  horizon: number,
): AsyncGenerator<readonly Note[]> {
  for (let shard = 0; shard < keyspace.shards; shard += 1) {
    const ids = await redis.zrangebyscore(keyspace.sharded(shard, "due"), "-inf", horizon);
    for (let from = 0; from < ids.length; from += PAGE) {
      const notes = await ledger.fetch(ids.slice(from, from + PAGE));
      yield [...notes.values()];
    }
  }
}
