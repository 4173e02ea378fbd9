/** `npm run token`: the command of that name, on its own. */
import { tokenCommand } from "./commands/token.ts";
import { runProgram } from "./run-command.ts";

await runProgram(tokenCommand("npm run token --"));
