/** `dlq redrive`: sends dead letters back to where they failed, the chosen ones or many at once. */
import { userInfo } from "node:os";
import { InvalidArgumentError, Option, type Command } from "commander";
import { CHANNELS, type Channel } from "../../contract/vocabulary.ts";
import { withDeadLetters } from "../dead-letters/open-dead-letters.ts";
import {
  createRedrive,
  type Redrive,
  type RedriveOutcome,
} from "../dead-letters/redrive-letters.ts";
import {
  kindsOf,
  readIds,
  readSelection,
  type Selection,
  type SelectionOptions,
} from "../dead-letters/selection.ts";
import { Failure, newCommand, WrongUse } from "../run-command.ts";
import { confirm, note, say, sayJson } from "../screen.ts";
import {
  jsonOption,
  kindOption,
  reasonOption,
  templateOption,
  topicOption,
} from "./dlq-options.ts";

interface RedriveOptions extends SelectionOptions {
  readonly all?: true;
  readonly channels?: readonly Channel[];
  readonly again?: true;
  readonly yes?: true;
  readonly json?: true;
}

const MORE = `
An event goes back to its topic as it was, with a header redriven-from. That is remembered: a second
time takes --again. A notification is queued again by the channels that failed; one that may have
been sent (reason unknown) takes --channels. Mend the cause first: what fails again is put aside
again.`;

export function dlqRedriveCommand(): Command {
  return newCommand("redrive")
    .summary("have them tried again")
    .description("Sends dead letters back to where they failed.")
    .argument("[id...]", "partition:offset of an event, id of a notification")
    .option("--all", "all that were not sent back yet")
    .addOption(kindOption())
    .addOption(reasonOption())
    .addOption(topicOption())
    .addOption(templateOption())
    .addOption(
      new Option(
        "--channels <list>",
        `by these channels, separated by commas (${CHANNELS.join(", ")}): notifications only`,
      ).argParser(readChannels),
    )
    .option("--again", "also events that were sent back before")
    .option("-y, --yes", "do not ask before many are sent back")
    .addOption(jsonOption())
    .addHelpText("after", MORE)
    .action(redrive);
}

function readChannels(text: string): Channel[] {
  const names = text.split(",").map((name) => name.trim());
  const known = CHANNELS.filter((channel) => names.includes(channel));
  if (known.length === names.length) return known;
  throw new InvalidArgumentError(`It must be a comma list of ${CHANNELS.join(", ")}.`);
}

async function redrive(given: readonly string[], options: RedriveOptions): Promise<void> {
  const { all, reason, topic, template, again, channels } = options;
  const selects = all === true || [reason, topic, template].some((each) => each !== undefined);
  if (selects === given.length > 0) {
    throw new WrongUse(
      selects
        ? "Name dead letters or select them by options, not both."
        : "Which? Name them (dlq list shows their ids), or say --all, --reason, --topic or --template.",
    );
  }
  const ids = readIds(given);
  const selection = readSelection(options);
  const kinds = selects ? selection.kinds : kindsOf(ids);
  const order = { by: operatorName(), again: again === true, channels };
  const outcomes: RedriveOutcome[] = [];
  try {
    await withDeadLetters(kinds, async (desk) => {
      const work = createRedrive({ desk, order, onOutcome: (outcome) => outcomes.push(outcome) });
      if (!selects) await work.named(ids);
      else if (await isConfirmed(work, selection, options.yes === true)) {
        await work.selected(selection);
      }
    });
  } finally {
    // Also when it ended half-way: what was sent back has been sent back.
    report(outcomes, { eachOne: !selects, json: options.json === true });
  }
  const refused = outcomes.filter(({ done }) => !done).length;
  if (refused > 0) throw new Failure(`${refused} of ${outcomes.length} were not sent back.`);
}

async function isConfirmed(
  work: Redrive,
  selection: Selection,
  confirmed: boolean,
): Promise<boolean> {
  const { events, notifications } = await work.count(selection);
  const parts = [
    ...(events === undefined ? [] : [counted(events, "event")]),
    ...(notifications === undefined ? [] : [counted(notifications, "notification")]),
  ];
  if ((events ?? 0) + (notifications ?? 0) === 0) {
    note(`There is nothing to send back: ${parts.join(", ")}.`);
    return false;
  }
  return confirmed || (await confirm(`Send back ${parts.join(" and ")}?`));
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;

function report(
  outcomes: readonly RedriveOutcome[],
  form: { readonly eachOne: boolean; readonly json: boolean },
): void {
  if (form.json) {
    sayJson({
      redriven: outcomes.filter(({ done }) => done).map(({ id, text }) => ({ id, how: text })),
      refused: outcomes.filter(({ done }) => !done).map(({ id, text }) => ({ id, why: text })),
    });
    return;
  }
  const refused = outcomes.filter(({ done }) => !done);
  for (const { id, text } of form.eachOne ? outcomes : refused) say(`${id}  ${text}`);
  if (form.eachOne) return;
  const sums = new Map<string, number>();
  for (const { done, text } of outcomes) if (done) sums.set(text, (sums.get(text) ?? 0) + 1);
  for (const [text, count] of sums) say(`${count} ${text}`);
}

/** In the audit trail: the account at the operator's desk. */
function operatorName(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A container may run as a number that has no name.
    return "cli";
  }
}
