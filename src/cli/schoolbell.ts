/** `npm run schoolbell`: the operator's command line. */
import { dlqCommand } from "./commands/dlq.ts";
import { keysCommand } from "./commands/keys.ts";
import { publishCommand } from "./commands/publish.ts";
import { restoreCommand } from "./commands/restore.ts";
import { tokenCommand } from "./commands/token.ts";
import { newCommand, runProgram } from "./run-command.ts";

const program = newCommand("npm run schoolbell --")
  .description("Looks after a Schoolbell. It is set up by the same variables as npm start.")
  .addCommand(dlqCommand())
  .addCommand(restoreCommand())
  .addCommand(publishCommand())
  .addCommand(keysCommand())
  .addCommand(tokenCommand());

await runProgram(program);
