/** A dead letter in words for a screen, and as a document for programs. */
import { CHANNELS } from "../../contract/vocabulary.ts";
import type { DeadNoteDetail, DeadNoteView } from "../../tracking/dead-note-view.ts";
import { withoutDeadLetterHeaders } from "../../platform/kafka/dead-letter-headers.ts";
import { payloadText, utf8Of } from "../payload-text.ts";
import { printable } from "../table.ts";
import type { EventLetter } from "./event-letters.ts";

const LABEL_WIDTH = 12;

/** `label  text`; further lines of the text stay under its first. */
function field(label: string, text: string): string {
  const [first = "", ...others] = text.split("\n");
  return [
    `  ${label.padEnd(LABEL_WIDTH)}${first}`,
    ...others.map((line) => " ".repeat(LABEL_WIDTH + 2) + line),
  ].join("\n");
}

/** What is short and on one line; bytes that are no text as hex. */
function inline(bytes: Buffer): string {
  const text = utf8Of(bytes);
  return text === undefined ? `0x${bytes.toString("hex")}` : printable(text);
}

/** The value is personal data: it is there only where it is asked for. */
export function eventDocument(letter: EventLetter, withPayload = false): unknown {
  const { id, record, about, redrivenAt } = letter;
  const own = Object.entries(withoutDeadLetterHeaders(record.headers));
  const text = record.value === null ? null : utf8Of(record.value);
  const value =
    text === undefined ? { value_base64: record.value?.toString("base64") } : { value: text };
  return {
    id,
    reason: about?.["dlq-reason"] ?? null,
    detail: about?.["dlq-detail"] ?? null,
    put_aside_at: about?.["dlq-at"] ?? new Date(record.timestamp).toISOString(),
    group: about?.["dlq-group"] ?? null,
    from:
      about === undefined
        ? null
        : {
            topic: about["dlq-topic"],
            partition: Number(about["dlq-partition"]),
            offset: about["dlq-offset"],
            timestamp: about["dlq-timestamp"],
          },
    key: record.key === null ? null : inline(record.key),
    headers: Object.fromEntries(own.map(([name, bytes]) => [name, inline(bytes)])),
    bytes: record.value?.length ?? null,
    redriven_at: redrivenAt ?? null,
    ...(withPayload ? value : {}),
  };
}

export function eventText(
  letter: EventLetter,
  view: { readonly topic: string; readonly remembers: boolean; readonly withPayload: boolean },
): string {
  const { id, record, about, redrivenAt } = letter;
  const own = Object.entries(withoutDeadLetterHeaders(record.headers));
  const lines = [`Event ${id} in ${view.topic}`];
  if (about === undefined) {
    lines.push(field("reason", "unknown: Schoolbell did not put it there"));
  } else {
    lines.push(
      field("reason", about["dlq-reason"]),
      field("detail", printable(about["dlq-detail"])),
      field("put aside", `${about["dlq-at"]} by ${printable(about["dlq-group"])}`),
      field(
        "from",
        `${printable(about["dlq-topic"])} ${about["dlq-partition"]}:${about["dlq-offset"]}`,
      ),
      field("written", about["dlq-timestamp"]),
    );
  }
  lines.push(
    field("key", record.key === null ? "none" : inline(record.key)),
    field(
      "headers",
      own.map(([name, bytes]) => `${printable(name)}: ${inline(bytes)}`).join("\n") || "none",
    ),
    field("sent back", redrivenAt ?? (view.remembers ? "never" : "not known while Redis is away")),
  );
  const omitted = about?.["dlq-omitted"];
  if (omitted !== undefined) lines.push(field("left out", `${printable(omitted)}: too large`));
  else if (record.value === null) lines.push(field("value", "none (a tombstone)"));
  else if (view.withPayload) lines.push(field("value", payloadText(record.value)));
  else {
    lines.push(
      field("value", `${record.value.length} bytes, perhaps personal; --payload shows them`),
    );
  }
  return lines.join("\n");
}

/** `push: gone, sms: rejected`: the channels that failed. */
export function reasonsOf({ channels, channel_details: details }: DeadNoteView): string {
  return CHANNELS.filter((name) => channels[name] === "failed")
    .map((name) => `${name}: ${details[name].reason ?? "failed"}`)
    .join(", ");
}

export function noteText(entry: DeadNoteDetail): string {
  const timeline = entry.timeline.map(({ at, channel, from, to, reason }) =>
    [at, channel ?? "notification", `${from} -> ${to}`, ...(reason === undefined ? [] : [reason])]
      .map(printable)
      .join("  "),
  );
  const tries = CHANNELS.map((name) => `${name} ${entry.attempts[name]}`).join(", ");
  return [
    `Notification ${entry.notification_id}`,
    field("why", reasonsOf(entry)),
    field("failed", entry.failed_at),
    field("accepted", `${entry.accepted_at} from ${printable(entry.caller)}`),
    field("for", entry.user_id),
    field("template", `${entry.template_id}, counted as ${entry.notification_type}`),
    field("priority", entry.priority),
    ...(entry.event_id === undefined ? [] : [field("event", printable(entry.event_id))]),
    field("correlation", printable(entry.correlation_id)),
    field("tries", tries),
    field("history", timeline.join("\n")),
    field("redrive", entry.refusal ?? `tries ${entry.redrivable.join(", ")} again`),
  ].join("\n");
}
