/**
 * Writes to Kafka, to each topic by itself: one that is missing, or that the broker refuses, holds up
 * nothing that goes to another. The client would wait for all of them together.
 */
import type { KafkaProducer } from "./records.ts";
import { createTopicWriter, type TopicWriter, type TopicWriterOptions } from "./topic-writer.ts";

export interface RunningKafkaProducer extends KafkaProducer {
  /** Sends what waits, then lets the connections go; `send` rejects from now on. */
  stop(): Promise<void>;
}

/** `topics`: those that are made where they are missing. */
export function createKafkaProducer(
  options: Omit<TopicWriterOptions, "topic">,
): RunningKafkaProducer {
  const writers = new Map<string, TopicWriter>();
  let stopped = false;

  function writerOf(topic: string): TopicWriter {
    const found = writers.get(topic);
    if (found !== undefined) return found;
    const created = createTopicWriter({ ...options, topic });
    writers.set(topic, created);
    return created;
  }

  return {
    async send(topic, records) {
      if (stopped) throw new Error("the Kafka producer has stopped");
      if (records.length > 0) await writerOf(topic).write(records);
    },

    async stop() {
      stopped = true;
      await Promise.all([...writers.values()].map((writer) => writer.stop()));
    },
  };
}
