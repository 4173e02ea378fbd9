/** Makes the topics that are not there yet, where we are permitted to. */
import type { Admin } from "kafkajs";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

export interface WantedTopics {
  /** Full names, with `KAFKA_TOPIC_PREFIX`. */
  readonly topics: readonly string[];
  /** Of those that have to be made; the broker decides how often each is kept. */
  readonly partitions: number;
  /** For those that take larger records than the broker's other topics, where we make them. */
  readonly maxRecordBytes?: Readonly<Record<string, number>>;
  readonly clock: Pick<Clock, "after">;
}

/** A new topic shows after a moment; several processes that start at once make the same ones. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 250;

/**
 * Where some cannot be made, a warning says so: they are left to the operator.
 * @param admin connected
 * @returns the wanted topics that are there now
 * @throws if Kafka does not answer
 */
export async function ensureTopics(
  admin: Admin,
  { topics, partitions, maxRecordBytes = {}, clock }: WantedTopics,
  logger: Pick<Logger, "info" | "warn">,
): Promise<readonly string[]> {
  const missing = await findMissing(admin, topics);
  if (missing.length === 0) return topics;
  let reason = "the broker does not say why";
  try {
    await admin.createTopics({
      topics: missing.map((topic) => ({
        topic,
        numPartitions: partitions,
        configEntries: settingsOf(maxRecordBytes[topic]),
      })),
      waitForLeaders: false,
    });
  } catch (error) {
    // Another process may have made some of them just now; what counts is what is there.
    reason = reasonOf(error);
  }
  let lacking = new Set(await findMissing(admin, topics));
  for (let look = 1; lacking.size > 0 && look < LOOKS; look += 1) {
    await new Promise<void>((resolve) => clock.after(BETWEEN_LOOKS_MS, resolve));
    lacking = new Set(await findMissing(admin, topics));
  }
  const made = missing.filter((topic) => !lacking.has(topic));
  if (made.length > 0) logger.info({ topics: made, partitions }, "kafka.topics_created");
  if (lacking.size > 0) {
    logger.warn({ topics: [...lacking], reason }, "kafka.topics_missing; they have to be created");
  }
  return topics.filter((topic) => !lacking.has(topic));
}

function settingsOf(maxRecordBytes: number | undefined) {
  if (maxRecordBytes === undefined) return [];
  return [{ name: "max.message.bytes", value: String(maxRecordBytes) }];
}

async function findMissing(admin: Admin, topics: readonly string[]): Promise<readonly string[]> {
  const present = new Set(await admin.listTopics());
  return topics.filter((topic) => !present.has(topic));
}

/** Where several were refused, each has a reason of its own; the first will do. */
function reasonOf(error: unknown): string {
  const first: unknown =
    error instanceof Error && "errors" in error && Array.isArray(error.errors)
      ? error.errors[0]
      : error;
  return first instanceof Error ? first.message : String(first);
}
