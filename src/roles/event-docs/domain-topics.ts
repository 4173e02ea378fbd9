/** The topics of the services' own events, from the tables of the projectors. */
import { z } from "zod";
import { eventEnvelopeSchema } from "../../contract/teacher-notification.ts";
import type { EventMessage, EventTopic } from "../../http/asyncapi.ts";
import type { Config } from "../../platform/config-schema.ts";
import { BATCH_ORCHESTRATOR_EVENTS } from "../../projectors/batch-orchestrator.ts";
import { CJ_ASSESSMENT_EVENTS } from "../../projectors/cj-assessment.ts";
import { CLASS_MANAGEMENT_EVENTS } from "../../projectors/class-management.ts";
import type { DomainEvent } from "../../projectors/domain-event.ts";
import { ESSAY_LIFECYCLE_EVENTS } from "../../projectors/essay-lifecycle.ts";
import type { TopicConfig } from "../../projectors/event-table.ts";
import { FILE_SERVICE_EVENTS } from "../../projectors/file-service.ts";
import { SPELLCHECKER_EVENTS } from "../../projectors/spellchecker.ts";
import { DOMAIN_EXAMPLES, envelopeExample } from "./event-examples.ts";

type DomainTopicsConfig = TopicConfig & Pick<Config, "KAFKA_CONSUMER_GROUP">;

/** Who says what: the name of the service, and as it stands in `source_service`. */
const SERVICES: readonly {
  readonly name: string;
  readonly source: string;
  readonly events: readonly DomainEvent[];
}[] = [
  { name: "Class Management", source: "class_management", events: CLASS_MANAGEMENT_EVENTS },
  { name: "the batch services", source: "batch_orchestrator", events: BATCH_ORCHESTRATOR_EVENTS },
  { name: "the File Service", source: "file_service", events: FILE_SERVICE_EVENTS },
  {
    name: "the Essay Lifecycle Service",
    source: "essay_lifecycle",
    events: ESSAY_LIFECYCLE_EVENTS,
  },
  { name: "the Spellchecker", source: "spellchecker", events: SPELLCHECKER_EVENTS },
  { name: "CJ Assessment", source: "cj_assessment", events: CJ_ASSESSMENT_EVENTS },
];

/** Service by service; an event with a second name has a topic of that name as well. */
export function domainTopics(config: DomainTopicsConfig): EventTopic[] {
  return SERVICES.flatMap(({ events, ...service }) =>
    events.flatMap((event) => topicsOf(event, service, config)),
  );
}

/** The envelope of all events, with a `data` that is known. */
export function inEnvelope(types: readonly [string, ...string[]], data: z.ZodType): z.ZodType {
  return eventEnvelopeSchema.extend({
    event_type: z.enum(types).describe("what `data` is"),
    data,
  });
}

function topicsOf(
  event: DomainEvent,
  service: { readonly name: string; readonly source: string },
  config: DomainTopicsConfig,
): EventTopic[] {
  const name = nameOf(event);
  const topic = config[event.variable];
  const types: [string, ...string[]] = [event.type];
  for (const other of [event.secondType, topic]) {
    if (other !== undefined && !types.includes(other)) types.push(other);
  }
  const { notification, category, priority, actionRequired, owns } = event;
  const notes = [
    `Becomes the notification \`${notification}\` (category \`${category}\`, priority ${priority}` +
      `${actionRequired ? ", something must be done" : ""}).`,
    ...(owns === undefined ? [] : [`Its \`user_id\` is the owner of the ${owns} from then on.`]),
  ];
  const message: EventMessage = {
    id: name,
    title: event.type,
    summary: `${service.name} tells of it.`.replace(/^./, (letter) => letter.toUpperCase()),
    form: "envelope",
    key: "any; the id of the batch or class keeps the order of what happens to it",
    payload: inEnvelope(types, event.data),
    examples: [
      {
        name: "an example",
        payload: envelopeExample(event.type, service.source, DOMAIN_EXAMPLES[event.type]),
      },
    ],
  };
  // A second name is a topic too; events without an envelope have the type of their topic.
  return [topic, ...(event.secondType === undefined ? [] : [event.secondType])].map(
    (each, index) => ({
      id: index === 0 ? uncapitalized(name) : `${uncapitalized(name)}Alias`,
      topic: config.KAFKA_TOPIC_PREFIX + each,
      title: event.type,
      summary: index === 0 ? "A domain event." : "The same domain event under its second name.",
      writtenBy: service.name,
      readBy: "the projector role",
      notes,
      messages: [message],
      uses: [
        {
          action: "receive" as const,
          summary: "Tells the owner.",
          groupId: `${config.KAFKA_CONSUMER_GROUP}-projector`,
        },
      ],
    }),
  );
}

/** `BATCH_FILE_ADDED_TOPIC` is `BatchFileAdded`. */
function nameOf({ variable }: DomainEvent): string {
  return variable
    .replace(/_TOPIC$/, "")
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");
}

const uncapitalized = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
