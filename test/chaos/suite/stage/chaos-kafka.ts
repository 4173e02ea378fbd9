/** The runs' own broker, and what can happen to it. */
import { startOwnBroker, type OwnBroker } from "../../../support/kafka.ts";

export type ChaosKafka = OwnBroker;

export async function startChaosKafka(): Promise<ChaosKafka> {
  return await startOwnBroker();
}
