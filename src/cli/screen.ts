/** What a command writes, and asks: lines for a person, or one JSON document for a program. */
import { createInterface } from "node:readline/promises";
import { WrongUse } from "./run-command.ts";

const LEAST_COLUMNS = 80;

/** Nothing is cut where the output goes to a file or to another program. */
export const columns = (): number =>
  process.stdout.isTTY ? Math.max(LEAST_COLUMNS, process.stdout.columns) : Number.POSITIVE_INFINITY;

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Of what could steer a terminal, JSON escapes only the oldest; the rest are spelled out as well. */
const STEERING = /[\u007f-\u009f]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

export function sayJson(document: unknown): void {
  say(jsonText(document));
}

/** The same document to a program, and nothing but text to a terminal. */
function jsonText(document: unknown): string {
  return JSON.stringify(document, null, 2).replaceAll(STEERING, (character) =>
    // Those beyond the first 65,536 are two units, each with an escape of its own.
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
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
