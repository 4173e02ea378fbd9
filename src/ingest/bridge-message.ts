/** What services publish to a person's own Redis channel, `ws:{user_id}`, read as a submission. */
import { z } from "zod";
import type { Template } from "../content/template.ts";
import { referenceSchema, userIdSchema } from "../contract/notification-request.ts";
import { readJsonText } from "../platform/json-text.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import { faultsOf } from "./incoming-event.ts";
import { withoutStorageIds } from "./storage-ids.ts";
import type { Submission } from "./submission.ts";

/** In front of the user's id; without our key prefix, since other services write there. */
export const BRIDGE_CHANNEL_PREFIX = "ws:";

export type BridgeReading =
  | { readonly kind: "submission"; readonly submission: Submission }
  | {
      readonly kind: "unusable";
      readonly reason: "invalid_channel" | "invalid_message" | "unknown_event";
      readonly detail: string;
    };

export interface BridgeRules {
  readonly templates: { get(id: string): Template | undefined };
  readonly exposeStorageIds: boolean;
}

const messageSchema = z.object({
  event: z.string().min(1).max(128),
  data: z.record(z.string(), z.unknown()),
  correlation_id: referenceSchema.nullish(),
  timestamp: z.iso.datetime({ offset: true, local: true }).nullish(),
});

const FAULTS = {
  not_json: "The message is not valid JSON.",
  too_deep: "The message is nested too deep.",
  forbidden_name: "The message holds a name that is not allowed.",
} as const;

type Unusable = Extract<BridgeReading, { kind: "unusable" }>;

function unusable(reason: Unusable["reason"], detail: string): BridgeReading {
  return { kind: "unusable", reason, detail };
}

/**
 * Several processes hear the same message: its text and channel make the event id, so that it is
 * accepted once. So two messages that are equal to the letter within a week are one.
 */
export function readBridgeMessage(
  channel: string,
  text: string,
  rules: BridgeRules,
): BridgeReading {
  const user = userIdSchema.safeParse(channel.slice(BRIDGE_CHANNEL_PREFIX.length));
  if (!user.success) return unusable("invalid_channel", faultsOf(user.error, "user_id"));
  const reading = readJsonText(text);
  if (reading.kind !== "value") return unusable("invalid_message", FAULTS[reading.kind]);
  const message = messageSchema.safeParse(reading.value);
  if (!message.success) return unusable("invalid_message", faultsOf(message.error));
  const { event, correlation_id } = message.data;
  const template = rules.templates.get(event);
  if (template === undefined)
    return unusable("unknown_event", "There is no template of this name.");
  return {
    kind: "submission",
    submission: {
      request: {
        user_id: user.data,
        template_id: template.id,
        data: dataOf(message.data, rules),
        strategy: "fallback",
        event_id: sha256Hex(`${channel}\n${text}`),
        ...(typeof correlation_id === "string" ? { correlation_id } : {}),
      },
      idempotencyKey: undefined,
      leniency: "lenient",
    },
  };
}

/** Some publish the time in the data, some beside it: pages find it in the data. */
function dataOf(
  { data, timestamp }: z.infer<typeof messageSchema>,
  rules: BridgeRules,
): Record<string, unknown> {
  const shown = rules.exposeStorageIds ? data : withoutStorageIds(data);
  const own = shown["timestamp"] ?? timestamp;
  return own === undefined || own === null ? { ...shown } : { ...shown, timestamp: own };
}
