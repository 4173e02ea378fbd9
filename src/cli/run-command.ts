/** How every command behaves: its help, what it says when something is wrong, and its exit code. */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../platform/config.ts";

/** The command was written wrongly, or asks for what cannot be. The message is one line. */
export class WrongUse extends Error {
  override readonly name = "WrongUse";
}

/** The command was right, but it could not be done. The message is one line. */
export class Failure extends Error {
  override readonly name = "Failure";
}

const EXIT_FAILED = 1;
const EXIT_WRONG_USE = 2;
/** Fits a terminal of the usual width with room for its frame. */
const HELP_COLUMNS = 92;

/**
 * A command that prints help at a readable width and throws instead of ending the process. Every
 * command is made by this, since commander hands its settings on only to those that it makes itself.
 */
export function newCommand(name: string): Command {
  const command = new Command(name);
  return command
    .exitOverride()
    .helpCommand(false)
    .helpOption("-h, --help", "say how it is used")
    .configureHelp({ helpWidth: HELP_COLUMNS })
    .configureOutput({
      outputError: (text, write) => {
        // What was meant instead stands on a line of its own.
        const line = text.trim().replace(/^error: /, "");
        write(`${line.replaceAll(/\s*\n\s*/g, " ")}\n${hint(command)}`);
      },
    });
}

/** `npm run schoolbell -- dlq list`: the words that the command was called by. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

const hint = (command: Command): string => `${pathOf(command)} --help says how it is used.\n`;

/**
 * Runs the program that `program` describes with the words behind its name.
 * @returns the exit code: 0, 1 for what failed, 2 for wrong use; why is one line on stderr
 */
async function run(program: Command, args: readonly string[]): Promise<number> {
  let running = program;
  program.hook("preAction", (_program, action) => {
    running = action;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_WRONG_USE;
    if (error instanceof WrongUse) {
      process.stderr.write(`${error.message}\n${hint(running)}`);
      return EXIT_WRONG_USE;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT_WRONG_USE;
    }
    if (error instanceof Failure) {
      process.stderr.write(`${error.message}\n`);
      return EXIT_FAILED;
    }
    throw error;
  }
}

/** Runs the program with this process' arguments and sets its exit code. */
export async function runProgram(program: Command): Promise<void> {
  // Whoever reads only the first lines, as `head` does, has what they wanted.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  process.exitCode = await run(program, process.argv.slice(2));
}
