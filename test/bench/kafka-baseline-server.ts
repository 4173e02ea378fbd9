/**
 * What reading from Kafka costs by itself: a bare consumer that parses each record, writes it to its
 * user's socket if there is one, and commits. No checks, no ledger, no queue, no history; started by
 * the bench as a process of its own.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Kafka, logLevel } from "kafkajs";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";
import { stopIdleTimers } from "../../src/platform/kafka/idle-timers.ts";

/** As many records for each commit as the product takes in one chunk. */
const CHUNK_RECORDS = 500;
const FETCH_WAIT_MS = 500;
const PARTITIONS_AT_ONCE = 4;

const settings = z
  .object({ KAFKA_SERVERS: z.string(), KAFKA_TOPIC: z.string(), KAFKA_GROUP: z.string() })
  .parse(process.env);

/** The rest of the event goes out as it came, so that the frame has about its real size. */
const eventSchema = z.object({
  data: z.looseObject({ teacher_id: z.string(), correlation_id: z.string() }),
});

const sockets = new Map<string, { socket: WebSocket; replayId: number }>();
let records = 0;

function take(text: string): void {
  const { data } = eventSchema.parse(JSON.parse(text));
  records += 1;
  const seat = sockets.get(data.teacher_id);
  if (seat === undefined) return;
  seat.replayId += 1;
  seat.socket.send(
    JSON.stringify({
      type: "notification",
      notification_id: randomUUID(),
      replay_id: String(seat.replayId),
      correlation_id: data.correlation_id,
      data,
    }),
  );
}

// The product mends this as well; it is not what is measured.
stopIdleTimers();
const kafka = new Kafka({
  brokers: settings.KAFKA_SERVERS.split(","),
  clientId: "bench-baseline",
  logLevel: logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: settings.KAFKA_GROUP, maxWaitTimeInMs: FETCH_WAIT_MS });

async function consume(): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topic: settings.KAFKA_TOPIC, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
    async eachBatch(payload) {
      const { batch } = payload;
      const { topic, partition, messages } = batch;
      for (let from = 0; from < messages.length; from += CHUNK_RECORDS) {
        const chunk = messages.slice(from, from + CHUNK_RECORDS);
        for (const { value } of chunk) take(value?.toString("utf8") ?? "");
        const last = chunk.at(-1)?.offset ?? batch.lastOffset();
        payload.resolveOffset(last);
        const offset = String(BigInt(last) + 1n);
        await payload.commitOffsetsIfNecessary({
          topics: [{ topic, partitions: [{ partition, offset }] }],
        });
        await payload.heartbeat();
      }
    },
  });
}

const server = createServer((_request, response) => {
  response.end(JSON.stringify({ records }));
});
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on("upgrade", (request, stream, head) => {
  // Here a token is just the user's name.
  const user = new URL(request.url ?? "", "http://localhost").searchParams.get("token") ?? "";
  upgrades.handleUpgrade(request, stream, head, (socket) => {
    sockets.set(user, { socket, replayId: 0 });
    socket.send(JSON.stringify({ type: "connected", replay_id: "0" }));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => void consumer.disconnect().finally(() => process.exit(0)));
await consume();
