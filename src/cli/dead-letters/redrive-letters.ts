/** Sends dead letters of both kinds back, and says of each what became of it. */
import type { Channel } from "../../contract/vocabulary.ts";
import type { DeadNotes } from "../../tracking/dead-notes.ts";
import { Failure } from "../run-command.ts";
import type { EventLetter, EventLetters } from "./event-letters.ts";
import { printable } from "../table.ts";
import { required, type DeadLetterDesk, type Source } from "./open-dead-letters.ts";
import type { LetterIds, NoteSelection, Selection } from "./selection.ts";

export interface RedriveOrder {
  /** Who wants it, for the audit trail. */
  readonly by: string;
  /** Whether events that were sent back before are sent back once more. */
  readonly again: boolean;
  /** Of notifications; undefined: those that surely failed. */
  readonly channels?: readonly Channel[] | undefined;
}

export interface RedriveOutcome {
  readonly id: string;
  readonly done: boolean;
  /** `sent back to ...`, or why not. */
  readonly text: string;
}

export interface Redrive {
  named(ids: LetterIds): Promise<void>;
  /** How many `selected` would send back; undefined where that kind is not there or not selected. */
  count(
    selection: Selection,
  ): Promise<{ events: number | undefined; notifications: number | undefined }>;
  /** Leaves out what was sent back before, unless it is to be done again. */
  selected(selection: Selection): Promise<void>;
}

const NOTES_PER_PAGE = 200;

export function createRedrive(deps: {
  readonly desk: DeadLetterDesk;
  readonly order: RedriveOrder;
  readonly onOutcome: (outcome: RedriveOutcome) => void;
}): Redrive {
  const { desk, order, onOutcome } = deps;

  /** @throws Failure where nobody knows what was sent back, unless it may be done again. */
  function eventsToSend(source: Source<EventLetters>): EventLetters {
    const events = required(source, "events");
    if (events.remembers || order.again) return events;
    const why = desk.notes.there ? "" : `: ${desk.notes.why}`;
    throw new Failure(
      `It is not known which events were sent back before${why}. --again sends them in any case.`,
    );
  }

  const isOpen = ({ about, returnable, redrivenAt }: EventLetter): boolean =>
    returnable && about?.["dlq-omitted"] === undefined && (order.again || redrivenAt === undefined);

  async function sendBack(events: EventLetters, letters: readonly EventLetter[]): Promise<void> {
    await events.redrive(letters);
    const counts = new Map<string, number>();
    for (const { id, about } of letters) {
      const topic = about?.["dlq-topic"] ?? "";
      onOutcome({ id, done: true, text: `sent back to ${topic}` });
      counts.set(topic, (counts.get(topic) ?? 0) + 1);
    }
    for (const [path, count] of counts) {
      await desk.audit?.add({ action: "events_redriven", caller: order.by, path, count });
    }
  }

  async function redriveNote(notes: DeadNotes, id: string): Promise<void> {
    const result = await notes.redrive(id, { by: order.by, channels: order.channels });
    switch (result.kind) {
      case "redriven":
        return onOutcome({ id, done: true, text: `queued again by ${result.channels.join(", ")}` });
      case "refused":
        return onOutcome({ id, done: false, text: result.detail });
      case "absent":
        return onOutcome({ id, done: false, text: "There is no such notification." });
    }
  }

  async function noteIds(notes: DeadNotes, selection: NoteSelection): Promise<string[]> {
    const ids: string[] = [];
    let after: Awaited<ReturnType<DeadNotes["list"]>>["next"];
    do {
      const page = await notes.list({ ...selection, limit: NOTES_PER_PAGE, after });
      ids.push(...page.entries.map(({ notification_id: id }) => id));
      after = page.next;
    } while (after !== undefined);
    return ids;
  }

  /** The kinds that are selected. One that is only not configured here is none. */
  function chosen(selection: Selection) {
    const sole = selection.kinds.length === 1;
    const isChosen = (source: Source<unknown>): boolean =>
      sole || source.there || source.configured;
    return {
      events: selection.kinds.includes("events") && isChosen(desk.events),
      notifications: selection.kinds.includes("notifications") && isChosen(desk.notes),
    };
  }

  return {
    async named(ids) {
      if (ids.events.length > 0) {
        const events = eventsToSend(desk.events);
        const found = await events.find(ids.events);
        await sendBack(events, found.filter(isOpen));
        const open = new Set(found.filter(isOpen).map(({ id }) => id));
        for (const id of ids.events) {
          if (open.has(id)) continue;
          onOutcome({ id, done: false, text: whyNot(found.find((letter) => letter.id === id)) });
        }
      }
      for (const id of ids.notifications) {
        await redriveNote(required(desk.notes, "notifications"), id);
      }
    },

    async count(selection) {
      const { events, notifications } = chosen(selection);
      let open = 0;
      if (events) {
        await eventsToSend(desk.events).scan(selection.events, async (letters) => {
          open += letters.filter(isOpen).length;
        });
      }
      const ids = notifications
        ? await noteIds(required(desk.notes, "notifications"), selection.notes)
        : undefined;
      return { events: events ? open : undefined, notifications: ids?.length };
    },

    async selected(selection) {
      const { events, notifications } = chosen(selection);
      if (events) {
        const source = eventsToSend(desk.events);
        await source.scan(selection.events, async (letters) => {
          await sendBack(source, letters.filter(isOpen));
        });
      }
      if (notifications) {
        const notes = required(desk.notes, "notifications");
        for (const id of await noteIds(notes, selection.notes)) await redriveNote(notes, id);
      }
    },
  };
}

function whyNot(letter: EventLetter | undefined): string {
  if (letter === undefined) return "There is no such record in the topic.";
  if (letter.about?.["dlq-omitted"] !== undefined) {
    return "It was too large to be kept: publish it anew from where it came from.";
  }
  if (letter.about !== undefined && !letter.returnable) {
    return `It names the topic ${printable(letter.about["dlq-topic"])}, which is not read here.`;
  }
  if (letter.redrivenAt === undefined) {
    return "Schoolbell did not put it there: nobody knows where it belongs.";
  }
  return `It was sent back at ${letter.redrivenAt}; --again does it once more.`;
}
