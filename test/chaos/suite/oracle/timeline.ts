/** What a note's timeline tells, read by itself and not with the product's own rules. */
import type { Channel } from "../../../../src/contract/vocabulary.ts";
import type { StatedNote } from "../evidence.ts";

type Step = StatedNote["timeline"][number];

const TERMINAL = new Set(["delivered", "stored", "failed", "expired", "cancelled", "suppressed"]);

/** Whether it says of itself that nothing more will be done. */
export const isTerminal = (status: string): boolean => TERMINAL.has(status);

/** How often an operator had it sent again. */
export function redrives(note: StatedNote): number {
  return note.timeline.filter(
    ({ channel, to, reason }) =>
      channel === undefined && to === "queued" && reason?.startsWith("redriven:") === true,
  ).length;
}

/** How often an operator had one channel tried again. */
export function channelRedrives(note: StatedNote, channel: Channel): number {
  return note.timeline.filter((step) => step.channel === channel && step.reason === "redriven")
    .length;
}

/** Whether a provider was ever about to be asked. */
export function wasTaken(note: StatedNote, channel: Channel): boolean {
  return stepsOf(note, channel).some(({ from, to }) => from === "pending" && to === "sending");
}

/** When it settled for the last time; undefined for one that was suppressed as it came in. */
export function settling(note: StatedNote): Step | undefined {
  return note.timeline.findLast(({ channel, to }) => channel === undefined && isTerminal(to));
}

/** Whether somebody had been reached when it settled; one that was reached only afterwards is late. */
export function wasReachedInTime(note: StatedNote): boolean {
  const settled = settling(note);
  if (settled === undefined) return false;
  const before = note.timeline.slice(0, note.timeline.lastIndexOf(settled));
  return before.some(({ channel, to }) => channel !== undefined && to === "delivered");
}

/** Whether it was reached after it had settled otherwise. */
export function isLate(note: StatedNote): boolean {
  return note.status === "delivered" && !wasReachedInTime(note);
}

/** Longer than a provider of the suite takes to answer, shorter than any lease or timeout. */
const LAPSE_MS = 500;

/**
 * Whether a try was not concluded by whoever made it: its worker died, stood still or could not reach
 * Redis, or the provider kept it waiting. What the provider said may then not be known.
 */
export function hasLapsed(note: StatedNote, channel: Channel): boolean {
  const steps = stepsOf(note, channel);
  return steps.some((step, at) => {
    const next = steps[at + 1];
    if (step.to !== "sending" || next === undefined) return false;
    if (next.reason === "worker_lost") return true;
    return Date.parse(next.at) - Date.parse(step.at) >= LAPSE_MS;
  });
}

function stepsOf(note: StatedNote, channel: Channel): Step[] {
  return note.timeline.filter((step) => step.channel === channel);
}
