/** `dlq`: what could not be used or delivered, to look at and to have tried again. */
import type { Command } from "commander";
import { newCommand } from "../run-command.ts";
import { dlqListCommand } from "./dlq-list.ts";
import { dlqRedriveCommand } from "./dlq-redrive.ts";
import { dlqShowCommand } from "./dlq-show.ts";

const KINDS = `
There are two kinds of dead letters:

  events         records of Kafka that could not be used, put aside in KAFKA_DEAD_LETTER_TOPIC with
                 the reason; called by partition and offset there, such as 0:12
  notifications  what was accepted and failed; called by its notification id

Kafka and Redis are found by the same variables as those of npm start (npm start -- --help).`;

export function dlqCommand(): Command {
  return newCommand("dlq")
    .summary("list, show and redrive dead letters")
    .description("Looks at what could not be used or delivered, and has it tried again.")
    .addCommand(dlqListCommand())
    .addCommand(dlqShowCommand())
    .addCommand(dlqRedriveCommand())
    .addHelpText("after", KINDS);
}
