/** Every topic of this installation as data: who writes it, who reads it, what it carries. */
import { notificationRequestSchema } from "../../contract/notification-request.ts";
import { outcomeEventSchema } from "../../contract/outcome-event.ts";
import { teacherNotificationSchema } from "../../contract/teacher-notification.ts";
import type { AsyncApiOptions, EventMessage, EventTopic } from "../../http/asyncapi.ts";
import { TEACHER_EVENT_TYPES } from "../../ingest/teacher-event.ts";
import type { Config } from "../../platform/config-schema.ts";
import { deadLetterHeadersSchema } from "../../platform/kafka/dead-letter-headers.ts";
import type { TopicConfig } from "../../projectors/event-table.ts";
import { domainTopics, inEnvelope } from "./domain-topics.ts";
import {
  DEAD_LETTER_EXAMPLE,
  envelopeExample,
  OUTCOME_EXAMPLE,
  REQUEST_EXAMPLE,
  TEACHER_EXAMPLE,
} from "./event-examples.ts";
import { rulesAsMarkdown } from "./event-rules.ts";

export type EventTopicsConfig = TopicConfig &
  Pick<
    Config,
    | "KAFKA_CONSUMER_GROUP"
    | "KAFKA_TEACHER_TOPICS"
    | "TEACHER_NOTIFICATION_TOPIC"
    | "KAFKA_NOTIFICATIONS_TOPIC"
    | "KAFKA_OUTCOME_TOPIC"
    | "KAFKA_DEAD_LETTER_TOPIC"
  >;

const INGEST = "the ingest role";
const PROJECTOR = "the projector role";

/** In the order in which a reader wants them: what to send, what comes back, what lies behind. */
export function eventTopics(config: EventTopicsConfig): EventTopic[] {
  return [
    ...teacherTopics(config),
    generalTopic(config),
    outcomeTopic(config),
    deadLetterTopic(config),
    ...domainTopics(config),
  ];
}

/** What `GET /asyncapi.json` describes. */
export function eventDescription(config: EventTopicsConfig, version: string): AsyncApiOptions {
  return {
    topics: eventTopics(config),
    version,
    title: "Schoolbell events",
    description: `What Schoolbell reads from Kafka, and what it writes there.\n\n${rulesAsMarkdown()}`,
  };
}

function teacherTopics(config: EventTopicsConfig): EventTopic[] {
  const { TEACHER_NOTIFICATION_TOPIC: published, KAFKA_TOPIC_PREFIX: prefix } = config;
  const [first, second] = TEACHER_EVENT_TYPES;
  const names = [...new Set([...config.KAFKA_TEACHER_TOPICS, published])];
  const types: [string, ...string[]] = [
    first,
    ...new Set([second, ...names.filter((n) => n !== first)]),
  ];
  const messages: EventMessage[] = [
    {
      id: "TeacherNotification",
      title: "Teacher notification event",
      summary: "Asks for a notification to a teacher.",
      form: "envelope",
      key: "the teacher's id",
      payload: inEnvelope(types, teacherNotificationSchema),
      examples: [
        {
          name: "a batch is done",
          payload: envelopeExample(first, "batch_orchestrator", TEACHER_EXAMPLE),
        },
      ],
    },
    {
      id: "BareTeacherNotification",
      title: "Teacher notification without an envelope",
      summary: "The same as the value itself, as some services send it.",
      form: "bare",
      key: "the teacher's id",
      payload: teacherNotificationSchema,
      examples: [{ name: "a batch is done", payload: TEACHER_EXAMPLE }],
    },
  ];
  return names.map((name, index) => ({
    id: index === 0 ? "teacherNotifications" : `teacherNotifications${index + 1}`,
    topic: prefix + name,
    title: "Teacher notification events",
    summary: "Services ask for notifications to teachers.",
    writtenBy: name === published ? "any service, and the projector role" : "any service",
    readBy: INGEST,
    notes: [
      "`notification_type` is the id of a template; `payload` is what its sentences need and what " +
        "the page shows. A required field of the template may be missing: there are sentences " +
        "without it. Category and priority, in any letter case, win over the template's.",
    ],
    messages,
    uses: [
      {
        action: "receive",
        summary: "Notifies the teacher.",
        groupId: config.KAFKA_CONSUMER_GROUP,
      },
      ...(name === published
        ? [{ action: "send" as const, summary: "Tells a teacher of a domain event." }]
        : []),
    ],
  }));
}

function generalTopic(config: EventTopicsConfig): EventTopic {
  return {
    id: "notificationRequests",
    topic: config.KAFKA_TOPIC_PREFIX + config.KAFKA_NOTIFICATIONS_TOPIC,
    title: "Notification requests",
    summary: "Services ask for a notification to anyone, as by POST /notify.",
    writtenBy: "any service",
    readBy: INGEST,
    notes: [
      "The value is a body of `POST /notify`, without an envelope, and held to the same rules: data " +
        "that does not fit the template is refused. Whoever may write here may notify anyone.",
    ],
    messages: [
      {
        id: "NotificationRequest",
        title: "Notification request",
        summary: "Asks for a notification to a user.",
        form: "bare",
        key: "the user's id",
        payload: notificationRequestSchema,
        examples: [{ name: "an announcement", payload: REQUEST_EXAMPLE }],
      },
    ],
    uses: [
      { action: "receive", summary: "Notifies the user.", groupId: config.KAFKA_CONSUMER_GROUP },
    ],
  };
}

function outcomeTopic(config: EventTopicsConfig): EventTopic {
  return {
    id: "notificationOutcomes",
    topic: config.KAFKA_TOPIC_PREFIX + config.KAFKA_OUTCOME_TOPIC,
    title: "Outcomes",
    summary: "What became of each notification, wherever it was asked for.",
    writtenBy: "the worker role",
    readBy: "whoever wants to know",
    notes: [
      "One event for each change that matters: it ended (`settled`), it reached somebody after all " +
        "(`late`), the recipient's side said so (`confirmed`), or it failed and is sent again " +
        "(`redriven`). The outcomes of one notification come in order. At least once: drop an " +
        "`outcome_id` that was seen. They hold ids and words, never what was said.",
    ],
    messages: [
      {
        id: "NotificationOutcome",
        title: "Outcome of a notification",
        summary: "Tells what became of it.",
        form: "envelope",
        key: "the user's id",
        payload: outcomeEventSchema,
        examples: [{ name: "delivered by push", payload: OUTCOME_EXAMPLE }],
      },
    ],
    uses: [{ action: "send", summary: "Tells what became of a notification." }],
  };
}

function deadLetterTopic(config: EventTopicsConfig): EventTopic {
  return {
    id: "deadLetters",
    topic: config.KAFKA_TOPIC_PREFIX + config.KAFKA_DEAD_LETTER_TOPIC,
    title: "The dead-letter topic",
    summary: "Records that cannot be used, with the reason.",
    writtenBy: `${INGEST} and ${PROJECTOR}`,
    readBy: "operators (`npm run schoolbell -- dlq`)",
    notes: [
      "Key, value and headers are those of the original record; what is known about it is in headers " +
        "that begin with `dlq-`. The values are personal data: give access accordingly. One that is " +
        "too large for the topic is there without them, and `dlq-omitted` says so.",
    ],
    messages: [
      {
        id: "DeadLetter",
        title: "Dead letter",
        summary: "A record that could not be used.",
        form: "bytes",
        key: "the original record's key",
        headers: deadLetterHeadersSchema,
        examples: [{ name: "an event without its teacher", ...DEAD_LETTER_EXAMPLE }],
      },
    ],
    uses: [{ action: "send", summary: "Puts a record aside." }],
  };
}
