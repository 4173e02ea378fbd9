/** `restore`: before the roles start on a Redis that came back from a backup. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { CHANNELS } from "../../contract/vocabulary.ts";
import {
  withRestoredLedger,
  type RestoredLedger,
  type Survey,
  type Treatment,
} from "../restore/restored-ledger.ts";
import { Failure, newCommand } from "../run-command.ts";
import { confirm, say, sayJson } from "../screen.ts";
import { jsonOption } from "./dlq-options.ts";

const ABOUT = `
A backup takes for unsettled what has been sent since it was made. Once the roles run, all of that is
sent again. Tabs and browsers know a message again by its id; a phone does not. So, with the roles
stopped:

  npm run schoolbell -- restore check        how old the data is, and what would be sent
  npm run schoolbell -- restore hold-texts   no SMS of that is sent: it is recorded as unknown, for
                                             dlq list --reason unknown
  npm run schoolbell -- restore expire       nothing of that is sent

What is scheduled for later than --until was not sent yet, and stays as it is.`;

export function restoreCommand(): Command {
  return newCommand("restore")
    .summary("look at a Redis that came back from a backup")
    .description("Decides what becomes of notifications that a restored Redis takes for unsettled.")
    .addCommand(checkCommand())
    .addCommand(treatCommand("hold-texts", "send no SMS of what may have been sent"))
    .addCommand(treatCommand("expire", "send nothing more of what may have been sent"))
    .addHelpText("after", ABOUT);
}

const untilOption = (): Option =>
  new Option(
    "--until <time>",
    "when the Redis before was lost, such as 2026-11-21T13:40:00Z; left out: now",
  ).argParser(readTime);

function readTime(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It must be a time as in RFC 3339.");
  return time;
}

/** A year that was mistyped would have all that is scheduled treated as sent, for good. */
function untilOf({ until }: { until?: number }, ledger: Pick<RestoredLedger, "now">): number {
  const now = ledger.now();
  if (until === undefined) return now;
  if (until > now) throw new Failure(`--until lies ahead: here it is ${isoTime(now)}.`);
  return until;
}

interface CheckOptions {
  readonly until?: number;
  readonly json?: true;
}

function checkCommand(): Command {
  return newCommand("check")
    .summary("how old the data is, and what would be sent")
    .description("Says how old the data is and what would be sent; it changes nothing.")
    .addOption(untilOption())
    .addOption(jsonOption())
    .action((options: CheckOptions) =>
      withRestoredLedger(async (ledger) => {
        const survey = await ledger.survey(untilOf(options, ledger));
        if (options.json !== true) return say(describe(survey, ledger));
        const { endsAt, ...rest } = survey;
        sayJson({ ends_at: endsAt === undefined ? null : isoTime(endsAt), ...rest });
      }),
    );
}

interface TreatOptions {
  readonly until?: number;
  readonly yes?: true;
}

function treatCommand(how: Treatment, summary: string): Command {
  return newCommand(how)
    .summary(summary)
    .description(`Has it recorded: ${summary}.`)
    .addOption(untilOption())
    .option("-y, --yes", "do not ask before")
    .action((options: TreatOptions) =>
      withRestoredLedger(async (ledger) => {
        const until = untilOf(options, ledger);
        const survey = await ledger.survey(until);
        if (survey.living > 0) {
          const running = counted(survey.living, "process runs", "processes run");
          throw new Failure(`${running} here: stop the roles first.`);
        }
        const count = how === "expire" ? survey.inDoubt : survey.texts;
        if (count > 0 && options.yes !== true) {
          if (!(await confirm(`${notifications(count)}: ${summary}?`))) return;
        }
        const treated = await ledger.treat(how, until);
        say(`${counted(treated, "notification was", "notifications were")} changed.`);
      }),
    );
}

const counted = (count: number, one: string, more: string): string =>
  `${count} ${count === 1 ? one : more}`;
const notifications = (count: number): string => counted(count, "notification", "notifications");
const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();

const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;

function describeAge(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / SECOND_MS));
  if (seconds < 2 * MINUTE_SECONDS) return counted(seconds, "second", "seconds");
  if (seconds < 2 * HOUR_SECONDS) return `${Math.round(seconds / MINUTE_SECONDS)} minutes`;
  return `${Math.round(seconds / HOUR_SECONDS)} hours`;
}

function describe(survey: Survey, ledger: Pick<RestoredLedger, "now">): string {
  const { endsAt, living, unsettled, inDoubt, texts, byStage } = survey;
  const end =
    endsAt === undefined
      ? "Nothing was ever written here."
      : `The data ends at ${isoTime(endsAt)}, ${describeAge(ledger.now() - endsAt)} ago.`;
  const stages = CHANNELS.map((name) => `${name} ${byStage[name]}`).join(", ");
  return [
    end,
    `${counted(living, "process runs", "processes run")}.`,
    `${counted(unsettled, "notification is", "notifications are")} unsettled, ${unsettled - inDoubt} of them for later.`,
    `${inDoubt} would be sent now, by stage: ${stages}.`,
    `${texts} of them may reach a phone, which rings twice if that was sent since the backup.`,
  ].join("\n");
}
