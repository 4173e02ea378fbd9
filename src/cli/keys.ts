/** `npm run keys`: the command of that name, on its own. */
import { keysCommand } from "./commands/keys.ts";
import { runProgram } from "./run-command.ts";

await runProgram(keysCommand("npm run keys --"));
