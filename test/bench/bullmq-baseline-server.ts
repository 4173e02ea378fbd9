/**
 * What BullMQ does by itself: jobs are added while a worker that does nothing takes them, both in
 * this process, on a Redis set up as the product's. Started by the bench as a process of its own;
 * `GET /?mode=add&seconds=10` runs it and answers with what was done.
 */
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { z } from "zod";
import { requestText } from "./load.ts";

const QUEUE = "bare";
const ADDS_IN_FLIGHT = 50;
const BULK_JOBS = 1_000;
const WORKER_CONCURRENCY = 100;
/** Added and not yet worked: as many as the product is allowed, so that neither runs from memory. */
const MAX_WAITING = 8_000;
const WARM_UP_MS = 3_000;
const POLL_MS = 5;

const settings = z.object({ REDIS_URL: z.string() }).parse(process.env);
const query = z.object({ mode: z.enum(["add", "addBulk"]), seconds: z.coerce.number() });

const connect = (): Redis => new Redis(settings.REDIS_URL, { maxRetriesPerRequest: null });
const connection = connect();
const queue = new Queue(QUEUE, {
  connection,
  defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
});
const jobs = { added: 0, worked: 0 };
const worker = new Worker(
  QUEUE,
  async () => {
    jobs.worked += 1;
  },
  { connection: connect(), concurrency: WORKER_CONCURRENCY },
);

/** What somebody who queues a notification would queue. */
const JOB: unknown = JSON.parse(requestText("teacher-1", 1));

async function addSingly(goesOn: () => boolean): Promise<void> {
  const oneAfterAnother = async (): Promise<void> => {
    while (goesOn()) {
      if (jobs.added - jobs.worked >= MAX_WAITING) await delay(POLL_MS);
      else {
        jobs.added += 1;
        await queue.add("notify", JOB);
      }
    }
  };
  await Promise.all(Array.from({ length: ADDS_IN_FLIGHT }, oneAfterAnother));
}

async function addInBulk(goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    if (jobs.added - jobs.worked + BULK_JOBS > MAX_WAITING) await delay(POLL_MS);
    else {
      const batch = Array.from({ length: BULK_JOBS }, () => ({ name: "notify", data: JOB }));
      jobs.added += BULK_JOBS;
      await queue.addBulk(batch);
    }
  }
}

/** The time and the count run from after a warm-up, while both go on. */
async function measure(mode: "add" | "addBulk", seconds: number) {
  let running = true;
  const adding = { add: addSingly, addBulk: addInBulk }[mode](() => running);
  await delay(WARM_UP_MS);
  const [firstMs, first] = [performance.now(), jobs.worked];
  const before = process.cpuUsage();
  await delay(seconds * 1_000);
  const [lastMs, last] = [performance.now(), jobs.worked];
  const { user, system } = process.cpuUsage(before);
  running = false;
  await adding;
  while (jobs.worked < jobs.added) await delay(POLL_MS);
  const count = last - first;
  return {
    count,
    perSecond: (count * 1_000) / (lastMs - firstMs),
    serverUs: (user + system) / Math.max(1, count),
    ...jobs,
  };
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? "", "http://localhost");
  const { mode, seconds } = query.parse(Object.fromEntries(searchParams));
  measure(mode, seconds).then(
    (result) => response.end(JSON.stringify(result)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => {
  void Promise.all([worker.close(true), queue.close()]).finally(() => process.exit(0));
});
