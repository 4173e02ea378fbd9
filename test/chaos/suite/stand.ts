/** What the runs of a batch share: a Kafka broker, which takes longest to start. */
import { startChaosKafka, type ChaosKafka } from "./stage/chaos-kafka.ts";

export interface Stand {
  readonly kafka: ChaosKafka;
  close(): Promise<void>;
}

export async function openStand(announce: (line: string) => void): Promise<Stand> {
  announce("starting Kafka");
  const kafka = await startChaosKafka();
  return { kafka, close: () => kafka.close() };
}
