/** Whose fault it is that nothing of a chunk is taken: the records', or that of what takes them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Accept } from "../../src/ingest/accept.ts";
import type { KafkaRecord } from "../../src/platform/kafka/records.ts";
import {
  batchCompleted,
  envelopeOf,
  openIntakeScene,
  recordOf,
  type IntakeScene,
} from "./intake-scene.ts";

const CHUNK = 24;
const POISON = "dead_lettered poison";

let scene: IntakeScene;
let users = 0;

beforeAll(async () => {
  scene = await openIntakeScene();
});

afterAll(async () => {
  await scene.close();
});

beforeEach(() => {
  for (const list of [scene.deadLetters, scene.outcomes]) list.length = 0;
});

function records(count: number, kind = "teacher"): KafkaRecord[] {
  return Array.from({ length: count }, () => {
    users += 1;
    const event = envelopeOf(batchCompleted({ teacher_id: `${kind}-${users}` }));
    return recordOf(event, { timestamp: scene.clock.now() });
  });
}

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

const SCRIPT_FAULT = reply(
  "ERR user_script:7: attempt to compare nil with number, on @user_script",
);

/** Fails with everything that holds something for a user whose id begins with `bad`. */
function failingWith(fault: Error): Accept {
  return async (submissions, caller) => {
    if (submissions.some(({ request }) => request.user_id.startsWith("bad"))) throw fault;
    return scene.accept(submissions, caller);
  };
}

async function take(chunk: readonly KafkaRecord[], handler: ReturnType<IntakeScene["intake"]>) {
  const outcomes = await scene.take(chunk, handler);
  return outcomes.map((one) => ("reason" in one ? `${one.kind} ${one.reason}` : one.kind));
}

describe("a chunk of which nothing is taken", () => {
  it.each([1, 5, 10])("is put aside if it is as small as %i", async (count) => {
    const handler = scene.intake({ accept: failingWith(SCRIPT_FAULT) });
    expect(await take(records(count, "bad"), handler)).toEqual(Array(count).fill(POISON));
    expect(scene.deadLetters).toHaveLength(count);
  });

  it.each([SCRIPT_FAULT, new TypeError("a bug")])(
    "waits if it is large, since the fault may be in what takes it: %s",
    async (fault) => {
      const handler = scene.intake({ accept: failingWith(fault) });
      const chunk = records(CHUNK, "bad");
      await expect(take(chunk, handler)).rejects.toThrow(fault.message);
      await expect(take(chunk, handler)).rejects.toThrow(fault.message);
      expect(scene.deadLetters).toEqual([]);
    },
  );

  it("is put aside once something else was taken, and the next one waits for a proof anew", async () => {
    const handler = scene.intake({ accept: failingWith(SCRIPT_FAULT) });
    const chunk = records(CHUNK, "bad");
    expect(await take(records(1), handler)).toEqual(["accepted"]);
    await expect(take(chunk, handler)).rejects.toThrow("attempt to compare");
    expect(await take(records(1), handler)).toEqual(["accepted"]);
    expect(await take(chunk, handler)).toEqual(Array(CHUNK).fill(POISON));
    await expect(take(records(CHUNK, "bad"), handler)).rejects.toThrow("attempt to compare");
  });

  it("is put aside once something that can be taken has come behind it", async () => {
    const handler = scene.intake({ accept: failingWith(SCRIPT_FAULT) });
    const chunk = records(CHUNK, "bad");
    await expect(take(chunk, handler)).rejects.toThrow("attempt to compare");
    const outcomes = await take([...chunk, ...records(1)], handler);
    expect(outcomes).toEqual([...Array(CHUNK).fill(POISON), "accepted"]);
  });

  it("does not count as partly taken for what would be refused anywhere", async () => {
    const handler = scene.intake({ accept: failingWith(SCRIPT_FAULT) });
    const refused = recordOf(
      envelopeOf(batchCompleted({ payload: { batch_id: "b", batch_name: 7 } })),
      { timestamp: scene.clock.now() },
    );
    expect(await take([refused], handler)).toEqual(["dead_lettered invalid_event"]);
    scene.deadLetters.length = 0;
    await expect(take([refused, ...records(CHUNK, "bad")], handler)).rejects.toThrow(
      "attempt to compare",
    );
    expect(scene.deadLetters).toEqual([]);
  });
});

describe("a refusal of the server's own", () => {
  it.each([
    "NOPERM this user has no permissions to run the 'hget' command",
    "NOAUTH Authentication required.",
    "OOM command not allowed when used memory > 'maxmemory'. script: a, on @user_script:1.",
    "READONLY You can't write against a read only replica.",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "CLUSTERDOWN The cluster is down",
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script.",
    "MASTERDOWN Link with MASTER is down",
    "MISCONF Errors writing to the AOF file",
    "NOSCRIPT No matching script.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "UNKILLABLE Sorry the script already executed write commands",
    "ERR unknown command 'SPUBLISH', with args beginning with: ",
  ])("gives up not even one record: %s", async (message) => {
    const handler = scene.intake({ accept: failingWith(reply(message)) });
    await expect(take(records(1, "bad"), handler)).rejects.toThrow(message);
    await expect(take([...records(1), ...records(1, "bad")], handler)).rejects.toThrow(message);
    expect(scene.deadLetters).toEqual([]);
  });

  it("is known as Redis words it from within a script", async () => {
    const { redis, prefix } = scene.store;
    const limited = `${prefix}limited`;
    await redis.call("ACL", "SETUSER", limited, "on", "nopass", `~${prefix}*`, "+eval", "+get");
    const asLimited = redis.duplicate({
      username: limited,
      password: "any",
      enableReadyCheck: false,
      enableOfflineQueue: true,
    });
    const failures = [
      () => asLimited.eval("return redis.call('HGET', KEYS[1], 'a')", 1, `${prefix}a`),
      () => asLimited.eval("return redis.call('GET', 'elsewhere')", 0),
      () => redis.eval("return redis.call('NOSUCH')", 0),
      () => redis.eval("not lua", 0),
    ];
    try {
      for (const fail of failures) {
        const accept: Accept = async () => {
          await fail();
          return [];
        };
        const handler = scene.intake({ accept });
        await expect(take(records(1), handler)).rejects.toThrow("ERR");
      }
    } finally {
      asLimited.disconnect();
      await redis.call("ACL", "DELUSER", limited);
    }
    expect(scene.deadLetters).toEqual([]);
  });

  it("is not a script's fault with what one record holds", async () => {
    const { redis, prefix } = scene.store;
    await redis.set(`${prefix}text`, "text");
    for (const script of ["return nil + 1", "return redis.call('HGET', KEYS[1], 'a')"]) {
      const accept: Accept = async () => {
        await redis.eval(script, 1, `${prefix}text`);
        return [];
      };
      expect(await take(records(1), scene.intake({ accept }))).toEqual([POISON]);
    }
  });
});
