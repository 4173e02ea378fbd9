/**
 * No way to a person is taken for closed that is open. Nobody in a run has turned anything off, all
 * push subscriptions live, and whoever is texted gave a number of their own; so some reasons for which
 * the product may leave out a channel cannot be true.
 */
import { CHANNELS, type Channel } from "../../../../src/contract/vocabulary.ts";
import type { StatedNote } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import type { Tally } from "./tally.ts";

const NEVER_TRUE = ["disabled", "preference", "quiet_hours", "flood", "opted_out", "poison"];
const UNTRUE_WITH_A_BROWSER = ["no_subscription", "gone"];
const UNTRUE_WITH_A_NUMBER = ["no_phone", "invalid_phone", "not_eligible", "not_requested"];

export function judgePassedOver(file: CaseFile, note: StatedNote, tally: Tally): void {
  const { notification_id: id, user_id: userId, channel_details: details } = note;
  const untrue: Record<Channel, readonly string[]> = {
    websocket: NEVER_TRUE,
    push: file.hasBrowser(userId) ? [...NEVER_TRUE, ...UNTRUE_WITH_A_BROWSER] : NEVER_TRUE,
    sms: hasNumber(file, id) ? [...NEVER_TRUE, ...UNTRUE_WITH_A_NUMBER] : NEVER_TRUE,
  };
  for (const channel of CHANNELS) {
    const { reason = "" } = details[channel];
    tally.expect(
      !untrue[channel].includes(reason),
      () => `${channel} was left out for ${id} to ${userId}: ${reason}, which is not so`,
    );
  }
}

function hasNumber(file: CaseFile, noteId: string): boolean {
  const asked = file.askedFor(noteId);
  return asked?.critical === true && asked.phoneNumber !== undefined;
}
