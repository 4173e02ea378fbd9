/** `dlq show`: all that is known about single dead letters. */
import type { Command } from "commander";
import type { DeadNoteDetail } from "../../tracking/dead-note-view.ts";
import type { EventLetter } from "../dead-letters/event-letters.ts";
import { eventDocument, eventText, noteText } from "../dead-letters/letter-views.ts";
import {
  required,
  withDeadLetters,
  type DeadLetterDesk,
} from "../dead-letters/open-dead-letters.ts";
import { kindsOf, readIds, type LetterIds } from "../dead-letters/selection.ts";
import { Failure, newCommand } from "../run-command.ts";
import { say, sayJson } from "../screen.ts";
import { jsonOption } from "./dlq-options.ts";

interface ShowOptions {
  readonly payload?: true;
  readonly json?: true;
}

const MORE = `
What a notification says stays sealed; what an event holds is shown only with --payload.`;

export function dlqShowCommand(): Command {
  return newCommand("show")
    .summary("all that is known about single ones")
    .description("Shows why each could not be used or delivered, and what became of it since.")
    .argument("<id...>", "partition:offset of an event, id of a notification")
    .option("--payload", "show the value of an event too: it may hold personal data")
    .addOption(jsonOption())
    .addHelpText("after", MORE)
    .action(show);
}

interface Found {
  readonly events: readonly EventLetter[];
  readonly notes: readonly DeadNoteDetail[];
  readonly topic: string;
  readonly remembers: boolean;
}

async function show(given: readonly string[], options: ShowOptions): Promise<void> {
  const ids = readIds(given);
  const withPayload = options.payload === true;
  const found = await withDeadLetters(kindsOf(ids), (desk) => find(desk, ids));
  const { events, notes, topic, remembers } = found;
  if (options.json === true) {
    sayJson({
      events: events.map((each) => eventDocument(each, withPayload)),
      notifications: notes,
    });
  } else {
    const texts = [
      ...events.map((each) => eventText(each, { topic, remembers, withPayload })),
      ...notes.map(noteText),
    ];
    if (texts.length > 0) say(texts.join("\n\n"));
  }
  const known = new Set([
    ...events.map(({ id }) => id),
    ...notes.map(({ notification_id: id }) => id),
  ]);
  const lacking = given.filter((id) => !known.has(id));
  if (lacking.length > 0) throw new Failure(`There is no dead letter ${lacking.join(", ")}.`);
}

async function find(desk: DeadLetterDesk, ids: LetterIds): Promise<Found> {
  const events = ids.events.length > 0 ? required(desk.events, "events") : undefined;
  const notes = ids.notifications.length > 0 ? required(desk.notes, "notifications") : undefined;
  const shown: DeadNoteDetail[] = [];
  for (const id of ids.notifications) {
    const detail = await notes?.show(id);
    if (detail !== undefined) shown.push(detail);
  }
  return {
    events: (await events?.find(ids.events)) ?? [],
    notes: shown,
    topic: events?.topic ?? "",
    remembers: events?.remembers ?? false,
  };
}
