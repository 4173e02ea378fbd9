/** What a command writes, and asks: lines for a person, or one JSON document for a program. */
import { createInterface } from "node:readline/promises";
import { WrongUse } from "./run-command.ts";

/** Fits where the output goes to no terminal, as in a log. */
const DEFAULT_COLUMNS = 100;
const LEAST_COLUMNS = 80;

export const columns = (): number =>
  Math.max(LEAST_COLUMNS, process.stdout.columns ?? DEFAULT_COLUMNS);

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function sayJson(document: unknown): void {
  say(JSON.stringify(document, null, 2));
}

/** What goes beside the result: it does not disturb a program that reads that. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Asks the person at the terminal.
 * @throws WrongUse where nobody can answer
 */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new WrongUse(`${question} Nobody is here to ask: add --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** `2026-11-21 13:40:05`, UTC: short enough for a table. */
export function shortTime(rfc3339: string): string {
  return rfc3339.slice(0, 19).replace("T", " ");
}
