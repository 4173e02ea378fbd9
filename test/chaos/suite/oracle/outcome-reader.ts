/** What other services were told, read from the topic as they read it. */
import { outcomeEventSchema, OUTCOME_EVENT_TYPE } from "../../../../src/contract/outcome-event.ts";
import { openStream } from "../../../trace/stream.ts";
import type { Told } from "../evidence.ts";

/**
 * Every outcome event, each once by its id as the product asks of readers, those of a person in order.
 * @param topicPrefix the run's own
 */
export async function readOutcomes(servers: string, topicPrefix: string): Promise<Told[]> {
  const stream = await openStream(servers, topicPrefix);
  try {
    const told = new Map<string, Told>();
    for (const { value } of await stream.read([OUTCOME_EVENT_TYPE])) {
      const { event_id: id, data } = outcomeEventSchema.parse(JSON.parse(value ?? "null"));
      if (told.has(id)) continue;
      const { notification_id: notificationId, outcome, status } = data;
      told.set(id, { notificationId, outcome, status });
    }
    return [...told.values()];
  } finally {
    await stream.close();
  }
}
