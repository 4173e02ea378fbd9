/** `publish`: writes values to a topic, to try out what services would send. */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { createSystemClock } from "../../platform/clock.ts";
import { readConfig } from "../../platform/config.ts";
import { createKafkaConnection, kafkaSettingsOf } from "../../platform/kafka/connection.ts";
import { createKafkaProducer } from "../../platform/kafka/producer.ts";
import { createSilentLogger } from "../../platform/logger.ts";
import { subscribedTopics } from "../../projectors/event-table.ts";
import { Failure, newCommand, WrongUse } from "../run-command.ts";
import { note, say } from "../screen.ts";

interface PublishOptions {
  readonly key?: string;
  readonly anything?: true;
}

/** Values sent together; a file may have any number of lines. */
const BATCH = 500;

const EXAMPLE = `
  echo '{"user_id":"teacher-1","template_id":"announcement","data":{"title":"Hi","body":"There"}}' |
    npm run schoolbell -- publish notifications.requested.v1`;

export function publishCommand(): Command {
  return newCommand("publish")
    .summary("write events to a Kafka topic")
    .description("Writes each line of a file, or of the standard input, as one record to a topic.")
    .argument("<topic>", "its name, without KAFKA_TOPIC_PREFIX")
    .argument("[file]", "one value a line; without it the standard input is read")
    .option("--key <key>", "key of the records: those of one key keep their order")
    .option("--anything", "take lines that are not JSON as well, to see what becomes of them")
    .addHelpText("after", EXAMPLE)
    .action(publish);
}

async function publish(
  topic: string,
  file: string | undefined,
  options: PublishOptions,
): Promise<void> {
  const config = readConfig(process.env);
  const settings = kafkaSettingsOf(config);
  if (settings === undefined) {
    throw new WrongUse("KAFKA_BOOTSTRAP_SERVERS is not set (npm run kafka starts a broker).");
  }
  const name = config.KAFKA_TOPIC_PREFIX + topic;
  const read = [
    config.KAFKA_NOTIFICATIONS_TOPIC,
    config.TEACHER_NOTIFICATION_TOPIC,
    ...config.KAFKA_TEACHER_TOPICS,
  ];
  if (!read.includes(topic) && !subscribedTopics(config).includes(name)) {
    note(`Nothing here reads ${name}; docs/EVENTS.md names the topics that are read.`);
  }
  const logger = createSilentLogger();
  const producer = createKafkaProducer({
    connection: createKafkaConnection(settings, logger),
    clock: createSystemClock(),
    logger,
    topics: [name],
    partitions: config.KAFKA_TOPIC_PARTITIONS,
  });
  let sent = 0;
  try {
    for await (const values of batchesOf(file, options.anything === true)) {
      await producer.send(
        name,
        values.map((value) => ({ key: options.key ?? null, value })),
      );
      sent += values.length;
    }
  } catch (error) {
    if (error instanceof Failure) {
      if (sent === 0) throw error;
      throw new Failure(`${error.message} ${sent} records before it are in ${name}.`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${sent} records are in ${name}; the rest could not be written: ${reason}`);
  } finally {
    await producer.stop();
  }
  say(`${sent} ${sent === 1 ? "record is" : "records are"} in ${name}.`);
}

async function* batchesOf(
  file: string | undefined,
  takesAnything: boolean,
): AsyncGenerator<string[]> {
  const input = file === undefined ? process.stdin : createReadStream(file);
  if (file !== undefined) {
    await once(input, "open").catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(`${file} cannot be read: ${reason}`);
    });
  }
  let values: string[] = [];
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() === "") continue;
    if (!takesAnything && !isJson(line)) {
      // What was before it is sent first, so that the count that is told is right.
      if (values.length > 0) yield values;
      throw new Failure(
        `Line ${number} is not JSON: each line is one record. --anything sends it all the same.`,
      );
    }
    values.push(line);
    if (values.length === BATCH) {
      yield values;
      values = [];
    }
  }
  if (values.length > 0) yield values;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
