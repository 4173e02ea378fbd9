/**
 * What providers took is what notes say was delivered.
 *
 * SMS: taken means `delivered`: where the answer did not come, or came to a worker that could not write
 * it down, the provider is asked what it took until it says so. `delivered` means taken. `unknown` means
 * that it was not, or that a clock was wrong by which it was looked for.
 *
 * Push: taken (a 2xx) means delivered, also where the worker died with the answer, since the push is
 * tried again. Only if that try was not concluded and a later one failed, or came too late, may the
 * note say otherwise. Delivered means that at least one was taken, or that a service worker said so.
 * An answer of which only the head came counts by its head, which is not known here.
 *
 * A browser that took a push, whose answer came whole to a worker that could write it down, is not sent
 * it again; and none is sent what is for somebody else, or what another message says.
 *
 * Nothing that was cancelled was handed to a provider. What was taken when Redis was taken back says
 * nothing about the note, which may have gone another way since.
 */
import type { Finding, PushTaken, StatedNote } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally, type Tally } from "./tally.ts";
import { hasLapsed } from "./timeline.ts";

export function providersAgree(file: CaseFile): Finding {
  const tally = startTally("providers agree");
  for (const note of file.notes.values()) {
    judgeText(file, note, tally);
    judgePush(file, note, tally);
  }
  for (const push of file.pushes) {
    const { notificationId, at } = push;
    const note = file.notes.get(notificationId);
    if (note !== undefined) {
      judgeAddress(file, note, push, tally);
      continue;
    }
    if (file.isLost(at)) tally.exclude();
    else tally.expect(false, () => `a push names ${notificationId}, which is no note`);
  }
  return tally.finding();
}

function judgeText(file: CaseFile, note: StatedNote, tally: Tally): void {
  const { notification_id: id, channels, channel_details: details } = note;
  const asked = file.askedFor(id);
  const texts = asked === undefined ? [] : file.textsOf(asked.key);
  const said = details.sms.reason === "unknown" ? "unknown" : channels.sms;
  if (said === "delivered") {
    tally.expect(texts.length > 0, () => `${id} says that its SMS was delivered; none was taken`);
  }
  if (texts.length === 0) return;
  if (texts.every(({ at }) => file.isLost(at))) return tally.exclude();
  tally.expect(
    said === "delivered" || (said === "unknown" && file.redisClockStepped === true),
    () => `an SMS was taken for ${id} (${asked?.key}), which says ${said}`,
  );
}

const isTaken = ({ status }: PushTaken): boolean =>
  status !== undefined && status >= 200 && status < 300;

function judgePush(file: CaseFile, note: StatedNote, tally: Tally): void {
  const { notification_id: id, channels, status } = note;
  const pushes = file.pushesOf(id);
  if (channels.push === "delivered") {
    tally.expect(
      pushes.some((push) => isTaken(push) || push.status === undefined || push.receipted),
      () => `${id} says that its push was delivered; none was taken`,
    );
  }
  const taken = pushes.filter(isTaken);
  if (taken.length === 0) return;
  if (taken.every(({ at }) => file.isLost(at))) return tally.exclude();
  const known = taken.filter(({ at }) => !file.isLost(at));
  judgeRepetition(note, known, tally);
  tally.expect(
    channels.push === "delivered" || hasLapsed(note, "push"),
    () => `a push was taken for ${id}, which says ${channels.push}`,
  );
  tally.expect(status !== "cancelled", () => `a push was taken for ${id}, which is cancelled`);
}

function judgeRepetition(note: StatedNote, taken: readonly PushTaken[], tally: Tally): void {
  const { notification_id: id } = note;
  for (const [endpoint, pushes] of Map.groupBy(taken, (push) => push.endpoint)) {
    tally.expect(
      pushes.length === 1 || hasLapsed(note, "push"),
      () => `${endpoint} took ${id} ${pushes.length} times, though it was heard to have it`,
    );
  }
}

function judgeAddress(file: CaseFile, note: StatedNote, push: PushTaken, tally: Tally): void {
  const { notification_id: id, user_id: userId } = note;
  const owner = file.browsers.get(push.endpoint);
  tally.expect(
    owner === userId,
    () => `a push for ${userId} (${id}) was handed to a browser of ${owner ?? "nobody"}`,
  );
  const key = file.askedFor(id)?.key;
  tally.expect(
    push.key === "" || key === undefined || push.key === key,
    () => `the push of ${id} (${key}) says what was asked for as ${push.key}`,
  );
}
