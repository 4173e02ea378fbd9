/** A record as the client hands it over, brought to the form that the other rooms know. */
import type { KafkaMessage } from "kafkajs";
import type { KafkaRecord } from "./records.ts";

/** Throws on nothing that a topic can hold: what is thrown here would end the reading of it. */
export function receivedRecord(
  topic: string,
  partition: number,
  message: KafkaMessage,
): KafkaRecord {
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key,
    value: message.value,
    headers: headersOf(message),
    timestamp: Number(message.timestamp),
  };
}

const NONE: Readonly<Record<string, Buffer>> = Object.freeze({});

/**
 * The client gives a header that occurs several times as a list. Kafka knows headers without a value,
 * which the client's types deny and which it cannot write: such a one becomes empty.
 */
function headersOf({ headers }: KafkaMessage): Readonly<Record<string, Buffer>> {
  if (headers === undefined) return NONE;
  const given = Object.entries(headers);
  // Most events carry none.
  if (given.length === 0) return NONE;
  return Object.fromEntries(
    given.map(([name, values]) => {
      const value = Array.isArray(values) ? values.at(-1) : values;
      return [name, Buffer.from(value ?? "")];
    }),
  );
}
