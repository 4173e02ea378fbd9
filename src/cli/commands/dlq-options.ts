/** The options by which dead letters are chosen: the same in each command that chooses some. */
import { InvalidArgumentError, Option } from "commander";
import { KINDS } from "../dead-letters/selection.ts";

export const kindOption = (): Option =>
  new Option("--kind <kind>", "only of this kind").choices(KINDS);

export const reasonOption = (): Option =>
  new Option(
    "--reason <reason>",
    "only for this reason, such as invalid_event (an event) or gone (a notification)",
  );

export const topicOption = (): Option =>
  new Option("--topic <topic>", "only events that came from this topic");

export const templateOption = (): Option =>
  new Option("--template <id>", "only notifications of this template");

export const jsonOption = (): Option => new Option("--json", "one JSON document, for programs");

/** @throws InvalidArgumentError unless it is 1 to `most` */
export function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
