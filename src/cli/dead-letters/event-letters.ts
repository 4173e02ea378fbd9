/** Dead letters of the events: the records of the dead-letter topic, and their way back. */
import {
  REDRIVEN_FROM_HEADER,
  readDeadLetterHeaders,
  withoutDeadLetterHeaders,
  type DeadLetterHeaders,
} from "../../platform/kafka/dead-letter-headers.ts";
import type { KafkaProducer, KafkaRecord, OutgoingRecord } from "../../platform/kafka/records.ts";
import type { TopicRange, TopicReader } from "../../platform/kafka/topic-reader.ts";
import type { RedriveMarks } from "./redrive-marks.ts";
import type { EventSelection } from "./selection.ts";

export interface EventLetter {
  /** `partition:offset` in the dead-letter topic. */
  readonly id: string;
  readonly record: KafkaRecord;
  /** Undefined for a record that somebody else wrote there: nobody knows where it belongs. */
  readonly about: DeadLetterHeaders | undefined;
  /** Whether the topic that it names is one that this installation reads: its headers may be forged. */
  readonly returnable: boolean;
  /** RFC 3339; undefined if it was not, or if nobody remembers. */
  readonly redrivenAt: string | undefined;
}

export interface EventLetters {
  /** Full name of the topic. */
  readonly topic: string;
  /** Whether it is known what was redriven. */
  readonly remembers: boolean;
  /** The newest first, and how many are selected at all. Undefined if there is no such topic. */
  list(
    selection: EventSelection,
    limit: number,
  ): Promise<{ letters: EventLetter[]; total: number } | undefined>;
  /** Those of the ids that there are. */
  find(ids: readonly string[]): Promise<EventLetter[]>;
  /** Hands over, oldest first, what is selected of what the topic holds now. */
  scan(
    selection: EventSelection,
    onLetters: (letters: readonly EventLetter[]) => Promise<void>,
  ): Promise<void>;
  /**
   * Sends them back to their topics, in order, and remembers it.
   * @throws Error if a letter is not returnable, or if Kafka did not surely take all of them
   */
  redrive(letters: readonly EventLetter[]): Promise<void>;
}

/** Keeps this many times as many while it reads, before it throws the older ones away. */
const SPARE = 4;

export function createEventLetters(deps: {
  readonly reader: TopicReader;
  readonly producer: KafkaProducer;
  /** Undefined while Redis is away. */
  readonly marks: RedriveMarks | undefined;
  /** Full name of the dead-letter topic. */
  readonly topic: string;
  readonly topicPrefix: string;
  /** Full names of the topics that this installation reads: nothing is sent back elsewhere. */
  readonly origins: ReadonlySet<string>;
}): EventLetters {
  const { reader, producer, marks, topic, topicPrefix, origins } = deps;

  function originOf({ headers }: KafkaRecord): Pick<EventLetter, "about" | "returnable"> {
    const about = readDeadLetterHeaders(headers);
    return { about, returnable: about !== undefined && origins.has(about["dlq-topic"]) };
  }

  async function lettersOf(records: readonly KafkaRecord[]): Promise<EventLetter[]> {
    const redriven = (await marks?.read(records)) ?? [];
    return records.map((record, index) => ({
      record,
      id: `${record.partition}:${record.offset}`,
      ...originOf(record),
      redrivenAt: redriven[index],
    }));
  }

  const isSelected =
    ({ reason, topic: from }: EventSelection) =>
    ({ headers }: KafkaRecord): boolean => {
      if (reason === undefined && from === undefined) return true;
      const about = readDeadLetterHeaders(headers);
      if (about === undefined) return false;
      const origin = about["dlq-topic"];
      if (from !== undefined && origin !== from && origin !== topicPrefix + from) return false;
      return reason === undefined || about["dlq-reason"] === reason;
    };

  return {
    topic,
    remembers: marks !== undefined,

    async list(selection, limit) {
      const extent = await reader.extent(topic);
      if (extent === undefined) return undefined;
      const everything = selection.reason === undefined && selection.topic === undefined;
      let newest: KafkaRecord[] = [];
      let selected = 0;
      const keepNewest = (): void => {
        newest = newest.sort(newestFirst).slice(0, limit);
      };
      const ranges = everything ? extent.map((range) => lastOf(range, limit)) : extent;
      await reader.read(topic, ranges, async (records) => {
        const found = records.filter(isSelected(selection));
        selected += found.length;
        newest.push(...found);
        if (newest.length > limit * SPARE) keepNewest();
      });
      keepNewest();
      const all = extent.reduce((sum, { from, to }) => sum + Number(to - from), 0);
      return { letters: await lettersOf(newest), total: everything ? all : selected };
    },

    async find(ids) {
      const extent = (await reader.extent(topic)) ?? [];
      const wanted = new Set(ids);
      const found: KafkaRecord[] = [];
      const ranges = extent.flatMap((range) => spanOf(range, ids));
      await reader.read(topic, ranges, async (records) => {
        found.push(...records.filter((each) => wanted.has(`${each.partition}:${each.offset}`)));
      });
      return await lettersOf(found);
    },

    async scan(selection, onLetters) {
      const extent = (await reader.extent(topic)) ?? [];
      await reader.read(topic, extent, async (records) => {
        const found = records.filter(isSelected(selection));
        if (found.length > 0) await onLetters(await lettersOf(found));
      });
    },

    async redrive(letters) {
      const byTopic = new Map<string, EventLetter[]>();
      for (const letter of letters) {
        const origin = letter.about?.["dlq-topic"];
        if (origin === undefined || !letter.returnable) {
          throw new Error(`${letter.id} comes from no topic that is read here`);
        }
        byTopic.set(origin, [...(byTopic.get(origin) ?? []), letter]);
      }
      for (const [origin, group] of byTopic) {
        await producer.send(origin, group.map(originalOf));
        // Afterwards: dying in between means a record twice, which its event id makes harmless; the
        // other way round one would count as sent back that never was.
        await marks?.write(group.map(({ record }) => record));
      }
    },
  };
}

/** As it was before it was put aside, and where it comes from now. */
function originalOf({ record }: EventLetter): OutgoingRecord {
  const { topic, partition, offset, key, value, headers } = record;
  return {
    key,
    value,
    headers: {
      ...withoutDeadLetterHeaders(headers),
      [REDRIVEN_FROM_HEADER]: `${topic}/${partition}/${offset}`,
    },
  };
}

function newestFirst(one: KafkaRecord, other: KafkaRecord): number {
  if (one.timestamp !== other.timestamp) return other.timestamp - one.timestamp;
  if (one.partition !== other.partition) return one.partition - other.partition;
  return BigInt(one.offset) > BigInt(other.offset) ? -1 : 1;
}

function lastOf({ partition, from, to }: TopicRange, count: number): TopicRange {
  const start = to - BigInt(count);
  return { partition, from: start > from ? start : from, to };
}

/** The smallest part of the range that has all of these ids that lie in it. */
function spanOf(range: TopicRange, ids: readonly string[]): TopicRange[] {
  const { partition, from, to } = range;
  const offsets = ids
    .map((id) => id.split(":"))
    .filter(([of]) => Number(of) === partition)
    .map(([, offset = "0"]) => BigInt(offset))
    .filter((offset) => offset >= from && offset < to)
    .sort((one, other) => (one < other ? -1 : 1));
  const [first] = offsets;
  const last = offsets.at(-1);
  if (first === undefined || last === undefined) return [];
  return [{ partition, from: first, to: last + 1n }];
}
