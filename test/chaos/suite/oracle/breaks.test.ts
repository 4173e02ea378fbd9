/** Every way in which a promise can be broken is found, with a sentence that names it. */
import { expect, it } from "vitest";
import { frame, gap, shown, START } from "./sound-run.ts";
import { noteIn, page, run, the, violations, type Change } from "./tampering.ts";

/** What is broken, and a sentence that tells of it. */
const BREAKS: readonly (readonly [string, Change, string])[] = [
  [
    "a key answered with two ids",
    (draft) => the(draft.asked[0]).ids.push("n2"),
    "accepted once: k-1 was answered with 2 ids: n1, n2",
  ],
  [
    "an accepted request without a note",
    (draft) => draft.statement.notes.splice(0, 1),
    "accepted once: k-1, accepted by rest, has 0 notes  (answered: n1)",
  ],
  [
    "an event with two notes",
    (draft) => draft.statement.notes.push({ ...noteIn(draft, "n2"), notification_id: "n8" }),
    "accepted once: k-2, accepted by kafka, has 2 notes n2, n8",
  ],
  [
    "one key shown as two notifications",
    (draft) => page(draft).events.push(frame(4, "n8", "k-1"), shown("n8")),
    "accepted once: k-1 was shown as n1, n8",
  ],
  [
    "a note that nobody asked for",
    (draft) => draft.asked.splice(2, 1),
    "accepted once: nobody asked for n3 to ben",
  ],
  [
    "a note for somebody else",
    (draft) => void (noteIn(draft, "n1").user_id = "ben"),
    "accepted once: n1 went to ben",
  ],
  [
    "a settled note with a channel open",
    (draft) => void (noteIn(draft, "n2").channels.push = "queued"),
    "settled: n2 is delivered, and push still to be tried",
  ],
  [
    "an entry left in the due index",
    (draft) => void (draft.statement.unsettled = 1),
    "settled: 1 entries are left in the due index",
  ],
  [
    "a cancellation that was forgotten",
    (draft) => void (the(draft.asked[0]).cancelled = true),
    "settled: n1 was said to be cancelled and is delivered",
  ],
  [
    "a message that came before its time",
    (draft) => void (noteIn(draft, "n1").sendAt = START + 60_000),
    "settled: n1 came 59950 ms before it was to be sent",
  ],
  [
    "a hole without a gap",
    (draft) => page(draft).events.splice(4, 4),
    "shown in order: ann/1: 3 of e1 came behind 1 of e1",
  ],
  [
    "a page that goes on behind what it never received",
    (draft) => page(draft).events.splice(4, 2),
    "shown in order: ann/1 resumed behind 2 of e1, which never came",
  ],
  [
    "a notification at two places",
    (draft) => page(draft).events.push(frame(4, "n1", "k-1")),
    "shown in order: ann: n1 in e1 came as 1, 4",
  ],
  [
    "a page that lags behind",
    (draft) => page(draft).events.splice(-2, 2),
    "nothing missed: ann/1 stands at 2 of e1, its user's history at 3 of e1",
  ],
  [
    "a message that the client overlooked",
    (draft) => page(draft).events.splice(-1, 1),
    "nothing missed: ann/1 received n7 and never showed it",
  ],
  [
    "a message that reached no page",
    (draft) => {
      noteIn(draft, "n7").epoch = "e1";
      noteIn(draft, "n7").replay_id = "9";
      page(draft).events.splice(-2, 2, frame(3, "n8", "k-8"), shown("n8"));
    },
    "nothing missed: n7 was delivered to a page of ann, and none received it",
  ],
  [
    "a message that was put away without a place in the history",
    (draft) => {
      Object.assign(noteIn(draft, "n3"), { status: "stored", replay_id: null, epoch: undefined });
    },
    "nothing missed: n3 is stored, and has no place in the history of ben",
  ],
  [
    "a message that one of two pages never got",
    (draft) => {
      const { events } = page(draft);
      draft.tabs.push({ ...page(draft), name: "ann/2", events: events.slice(0, 4) });
      the(draft.tabs[1]).events.push(
        gap("epoch_changed", "e1", 1),
        frame(3, "n7", "k-7"),
        shown("n7"),
      );
    },
    "nothing missed: ann/2 never received n2 at 2 of e1, and was told of no loss",
  ],
  [
    "a message at another place than its note says",
    (draft) => void (noteIn(draft, "n2").replay_id = "3"),
    "nothing missed: ann/1 never received n2 at 3 of e1, and was told of no loss",
  ],
  [
    "a delivery to a page of somebody who has none",
    (draft) => void (noteIn(draft, "n3").channels.websocket = "delivered"),
    "nothing missed: n3 was delivered to a page of ben, and none received it",
  ],
  [
    "a browser that was taken for none",
    (draft) => void (noteIn(draft, "n3").channel_details.push.reason = "no_subscription"),
    "nothing missed: push was left out for n3 to ben: no_subscription, which is not so",
  ],
  [
    "a number that was taken for none",
    (draft) => void (noteIn(draft, "n4").channel_details.sms.reason = "no_phone"),
    "nothing missed: sms was left out for n4 to cem: no_phone, which is not so",
  ],
  [
    "a message that is put aside as poison",
    (draft) => void (noteIn(draft, "n2").channel_details.websocket.reason = "poison"),
    "nothing missed: websocket was left out for n2 to ann: poison, which is not so",
  ],
  [
    "a message shown to somebody else",
    (draft) => page(draft).events.push(frame(4, "n3", "k-3"), shown("n3")),
    "shown in order: ann/1 was shown n3, which is for ben",
  ],
  [
    "a message that nobody asked for",
    (draft) => page(draft).events.push(frame(4, "n9", ""), shown("n9")),
    "shown in order: ann/1 was shown n9, which nobody asked for",
  ],
  [
    "a message shown twice",
    (draft) => page(draft).events.push(shown("n1")),
    "shown once: ann/1 showed n1 twice",
  ],
  [
    "a note that was counted and is not there",
    (draft) => void (draft.statement.analytics.total_notifications = 8),
    "counted once: total is 8; the notes say 7",
  ],
  [
    "a latency that was counted twice",
    (draft) => void (draft.statement.analytics.response_times.average_ms = 94),
    "counted once: average_ms is 94; the notes say 105",
  ],
  [
    "a kind that was counted apart",
    (draft) => void (draft.statement.analytics.notification_types["other"] = 1),
    "counted once: type other is 1; the notes say 0",
  ],
  [
    "a late one that was not counted",
    (draft) => void (draft.statement.analytics.late = 0),
    "counted once: late is 0; the notes say 1",
  ],
  [
    "an acceptance without a trail",
    (draft) => draft.statement.audit.splice(0, 1),
    "audited once: n1 is audited as accepted 0 times, not 1",
  ],
  [
    "a trail of no note",
    (draft) => draft.statement.audit.push({ event: "settled", notificationId: "n9" }),
    "audited once: the trail says settled of n9, which is no note",
  ],
  [
    "a confirmation that nobody gave",
    (draft) => page(draft).events.splice(3, 1),
    "confirmed by acks: n1 is confirmed, and no page said so",
  ],
  [
    "a push confirmed without a receipt",
    (draft) => void (the(draft.pushes[0]).receipted = false),
    "confirmed by acks: the push of n3 is confirmed, and no service worker said so",
  ],
  [
    "an SMS confirmed",
    (draft) => void (noteIn(draft, "n4").channel_details.sms.confirmed_at = "2026-11-21T10:00:01Z"),
    "confirmed by acks: the SMS of n4 is confirmed, which nobody can do",
  ],
];

it.each(BREAKS)("%s", (_what, change, sentence) => {
  expect(violations(run(change))).toContain(sentence);
});
