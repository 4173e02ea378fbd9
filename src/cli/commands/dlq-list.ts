/** `dlq list`: dead letters of both kinds, the newest first. */
import { Option, type Command } from "commander";
import type { DeadNoteView } from "../../tracking/dead-note-view.ts";
import type { DeadNotes } from "../../tracking/dead-notes.ts";
import type { EventLetter, EventLetters } from "../dead-letters/event-letters.ts";
import { eventDocument, reasonsOf } from "../dead-letters/letter-views.ts";
import { withDeadLetters, type Missing } from "../dead-letters/open-dead-letters.ts";
import {
  readSelection,
  type Kind,
  type Selection,
  type SelectionOptions,
} from "../dead-letters/selection.ts";
import { Failure, newCommand } from "../run-command.ts";
import { columns, note, say, sayJson, shortTime } from "../screen.ts";
import { formatTable } from "../table.ts";
import {
  jsonOption,
  kindOption,
  reasonOption,
  templateOption,
  topicOption,
  wholeNumber,
} from "./dlq-options.ts";

interface ListOptions extends SelectionOptions {
  readonly limit: number;
  readonly json?: true;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

export function dlqListCommand(): Command {
  return newCommand("list")
    .summary("the newest dead letters of both kinds")
    .description("Lists dead letters of both kinds, the newest first. Times are UTC.")
    .addOption(
      new Option("-n, --limit <count>", `at most so many of a kind, up to ${MAX_LIMIT}`)
        .argParser(wholeNumber(MAX_LIMIT))
        .default(DEFAULT_LIMIT),
    )
    .addOption(kindOption())
    .addOption(reasonOption())
    .addOption(topicOption())
    .addOption(templateOption())
    .addOption(jsonOption())
    .action(list);
}

/** What one kind answered. */
interface Listed {
  readonly kind: Kind;
  readonly text: string;
  readonly document: unknown;
}

async function list(options: ListOptions): Promise<void> {
  const selection = readSelection(options);
  const missing: (Missing & { kind: Kind })[] = [];
  const listed: Listed[] = [];
  await withDeadLetters(selection.kinds, async ({ events, notes }) => {
    if (selection.kinds.includes("events")) {
      if (events.there) listed.push(await listEvents(events.value, selection, options.limit));
      else missing.push({ ...events, kind: "events" });
    }
    if (selection.kinds.includes("notifications")) {
      if (notes.there) listed.push(await listNotes(notes.value, selection, options.limit));
      else missing.push({ ...notes, kind: "notifications" });
    }
  });
  if (options.json === true) {
    sayJson({
      ...Object.fromEntries(listed.map(({ kind, document }) => [kind, document])),
      missing: Object.fromEntries(missing.map(({ kind, why }) => [kind, why])),
    });
  } else if (listed.length > 0) {
    say(listed.map(({ text }) => text).join("\n\n"));
  }
  const lines = missing.map(({ kind, why }) => `The ${kind} are not shown: ${why}.`);
  // Who runs no Kafka at all has seen everything there is.
  if (listed.length === 0 || missing.some(({ configured }) => configured)) {
    throw new Failure(lines.join("\n"));
  }
  lines.forEach(note);
}

async function listEvents(
  events: EventLetters,
  selection: Selection,
  limit: number,
): Promise<Listed> {
  const found = await events.list(selection.events, limit);
  const { letters, total } = found ?? { letters: [], total: 0 };
  return {
    kind: "events",
    text: found === undefined ? absentText(events) : eventsText(events, selection, letters, total),
    document: { topic: events.topic, total, letters: letters.map((each) => eventDocument(each)) },
  };
}

const absentText = ({ topic }: EventLetters): string =>
  `Events: none, there is no topic ${topic} yet.`;

function eventsText(
  events: EventLetters,
  { events: { reason, topic: from } }: Selection,
  letters: readonly EventLetter[],
  total: number,
): string {
  const { topic, remembers } = events;
  const chosen = [
    ...(reason === undefined ? [] : [`with the reason ${reason}`]),
    ...(from === undefined ? [] : [`from the topic ${from}`]),
  ].join(" ");
  if (letters.length === 0) return `Events: none${chosen && ` ${chosen}`} in ${topic}.`;
  const shown = letters.length < total ? `the newest ${letters.length} of ${total}` : String(total);
  const table = formatTable(
    [
      { title: "ID" },
      { title: "PUT ASIDE" },
      { title: "REASON" },
      { title: "FROM TOPIC", shrinks: true },
      { title: "SENT BACK" },
    ],
    letters.map(({ id, record, about, redrivenAt }) => [
      id,
      shortTime(about?.["dlq-at"] ?? new Date(record.timestamp).toISOString()),
      about?.["dlq-reason"] ?? "(not put there by us)",
      about?.["dlq-topic"] ?? "-",
      redrivenAt === undefined ? (remembers ? "-" : "?") : shortTime(redrivenAt),
    ]),
    columns(),
  );
  return `Events${chosen && ` ${chosen}`} in ${topic}: ${shown}\n${table}`;
}

async function listNotes(
  notes: DeadNotes,
  { notes: { reason, templateId } }: Selection,
  limit: number,
): Promise<Listed> {
  const entries: DeadNoteView[] = [];
  let after: Awaited<ReturnType<DeadNotes["list"]>>["next"];
  do {
    const page = await notes.list({ limit: limit - entries.length, after, reason, templateId });
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined && entries.length < limit);
  const more = after !== undefined;
  return {
    kind: "notifications",
    text: notesText(entries, more),
    document: { more, letters: entries },
  };
}

function notesText(entries: readonly DeadNoteView[], more: boolean): string {
  if (entries.length === 0) return "Notifications: none that failed.";
  const table = formatTable(
    [
      { title: "ID" },
      { title: "FAILED" },
      { title: "TEMPLATE", shrinks: true },
      { title: "WHY", shrinks: true },
    ],
    entries.map((entry) => [
      entry.notification_id,
      shortTime(entry.failed_at),
      entry.template_id,
      reasonsOf(entry),
    ]),
    columns(),
  );
  const count = more ? `the newest ${entries.length}, there are more` : String(entries.length);
  return `Notifications that failed: ${count}\n${table}`;
}
