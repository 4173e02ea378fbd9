/** What holds for all topics, in words: shown in the AsyncAPI document and in docs/EVENTS.md. */
import type { DeadLetterReason } from "../../platform/kafka/dead-letters.ts";

export interface EventRule {
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

export const EVENT_RULES: readonly EventRule[] = [
  {
    title: "Records",
    text:
      "A value is a JSON object in UTF-8, at most 256 KiB. Events travel in an envelope: `event_type` " +
      "says what is in `data`. Fields that are not listed are ignored; null in an event means " +
      "that a field is absent (a notification request is taken as `POST /notify` takes it, without " +
      "nulls). A time is like `2026-09-15T14:00:00Z`; without an offset it is UTC, and its year is " +
      "from 0000 to 9999. A record without a value (a tombstone) is skipped.",
  },
  {
    title: "Delivery",
    text:
      "At least once, in both directions. An offset is committed only when what came of the record is " +
      "stored: a notification, or a dead letter. While Redis is away, partitions pause and the same " +
      "records come again; none is skipped. Who reads what Schoolbell writes drops what it has seen, " +
      "by `event_id`.",
  },
  {
    title: "Equal events",
    text:
      "One `event_id` is one notification for 7 days, on whichever topic it comes, however often, and " +
      "by `POST /notify` too. The same id for another person or another template is refused " +
      "(`idempotency_conflict`). An event without an id gets one made of its type and `data`, so the " +
      "same event on both names of a topic is still one; a request on the general topic gets one made " +
      "of its place and value, so two equal requests stay two.",
  },
  {
    title: "Two events about one occurrence",
    text:
      "A domain event and a teacher notification event that tell of the same thing ring once: when " +
      "`correlation_id` of the teacher event is the `event_id` of the domain event, and the templates " +
      "of both are of one dedupe family (see TEMPLATES.md). The one that comes first rings. A second " +
      "event of the same kind always rings.",
  },
  {
    title: "Events that are too old",
    text:
      "An event older than `MAX_EVENT_AGE_SECONDS` (a day) is skipped and audited as `stale`, unless " +
      "its deadline is still ahead. Its age is by `data.timestamp`, else `event_timestamp`, else the " +
      "record's timestamp. A request whose `expires_at` has passed is skipped too. What an operator " +
      "sends back from the dead letters (header `redriven-from`) is told however old it is.",
  },
  {
    title: "Whose it is",
    text:
      "Domain events and `PUT /owners/{kind}/{id}` say to whom a batch or class belongs. A domain " +
      "event goes to its `user_id`, else to the owner of its batch, else of its class; with none of " +
      "them nothing is sent. A domain event or teacher notification event about another's batch or " +
      "class is refused (`ownership_mismatch`). A teacher notification event about one that nobody " +
      "is known to own is delivered, unless `STRICT_OWNERSHIP` is on: then the owner of every batch " +
      "and class that it names must be known.",
  },
  {
    title: "Order",
    text:
      "Kafka keeps the order of records of equal key: use the user id. A user's notifications of the " +
      "priorities high, standard and low are accepted in the order of their partition, and those of " +
      "one lane (high and standard; low) get their `replay_id` in it while nothing fails. Critical " +
      "and immediate ones overtake. Projected events have the teacher's id as their key.",
  },
  {
    title: "Dead letters",
    text:
      "A record that can never be used is put into the dead-letter topic as it was, with the reason " +
      "in headers that begin with `dlq-`; those behind it go on. `npm run schoolbell -- dlq list` " +
      "shows them, `dlq redrive` sends them back to where they came from, with a header " +
      "`redriven-from`. What fails again comes back with a new reason.",
  },
];

/** Why a record is put aside, and what helps. */
export const DEAD_LETTER_GUIDE: Readonly<Record<DeadLetterReason, string>> = {
  invalid_json: "The value is not JSON in UTF-8. Mend the producer.",
  invalid_event: "A field is missing or wrong; the detail names it. Mend the producer.",
  unknown_event_type: "Nothing here handles that `event_type`. Is it the right topic?",
  unknown_notification_type:
    "There is no template of that id. Add one, or turn `ALLOW_UNKNOWN_TYPES` on; then redrive.",
  invalid_request: "A request on the general topic that `POST /notify` would refuse as well.",
  idempotency_conflict: "The event id was used for another person or another template.",
  ownership_mismatch:
    "Its batch or class belongs to another user. Look into it: somebody is wrong.",
  owner_unknown:
    "`STRICT_OWNERSHIP` is on and nobody is known to own it. `PUT /owners/{kind}/{id}`, then redrive.",
  poison: "It failed where nothing should. The log says why; redrive after an update.",
};

export function rulesAsMarkdown(): string {
  const reasons = Object.entries(DEAD_LETTER_GUIDE).map(([code, text]) => `- \`${code}\`: ${text}`);
  const rules = EVENT_RULES.map(({ title, text }) => `## ${title}\n\n${text}`);
  return [...rules, reasons.join("\n")].join("\n\n");
}
