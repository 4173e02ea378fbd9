/** What a Kafka topic carries, and the narrow view of Kafka that the other rooms have. */

/** One record as it was read. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  /** Decimal text: offsets go beyond what a number holds exactly. */
  readonly offset: string;
  readonly key: Buffer | null;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  /** The last one, where a record has several of a name. */
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Epoch milliseconds, as the producer or the broker stamped it. */
  readonly timestamp: number;
}

/** One record to be written. */
export interface OutgoingRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
}

export interface KafkaProducer {
  /**
   * Resolves once every record is on all in-sync replicas; rejects if that is not certain, and then
   * some may be there. Records of equal key keep their order.
   * @param topic its full name, with `KAFKA_TOPIC_PREFIX`
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
}

/**
 * Takes consecutive records of one partition. Once it resolves, all of them are dealt with for good
 * and their offsets may be committed. If it rejects, none counts as dealt with: the partition is
 * paused, and the same records are handed over again, never skipped. So a record that can never be
 * used must not reject; it is put aside (see the dead letters).
 */
export type ChunkHandler = (records: readonly KafkaRecord[]) => Promise<void>;
