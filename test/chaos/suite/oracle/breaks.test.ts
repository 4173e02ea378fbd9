/** Every way in which a promise can be broken is found, with a sentence that names it. */
import { expect, it } from "vitest";
import { frame, shown } from "./sound-run.ts";
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
    "a message shown twice",
    (draft) => page(draft).events.push(shown("n1")),
    "shown once: ann/1 showed n1 twice",
  ],
  [
    "a text to another number",
    (draft) => void (the(draft.texts[0]).to = "+46709"),
    "texted once: k-4 was texted to +46709; it is critical, with +46701",
  ],
  [
    "a text that nobody asked for",
    (draft) => void (the(draft.texts[0]).key = "k-9"),
    "texted once: a text to +46701 names k-9, which nobody asked for",
  ],
  [
    "a text to somebody who may not be texted",
    (draft) => void (the(draft.asked[3]).critical = false),
    "texted once: k-4 was texted to +46701; it is not critical, with +46701",
  ],
  [
    "a text about what was cancelled",
    (draft) => {
      the(draft.texts[0]).key = "k-6";
      Object.assign(the(draft.asked[5]), { critical: true, phoneNumber: "+46701" });
    },
    "texted once: k-6 was texted, and is cancelled",
  ],
  [
    "an SMS called delivered that was never taken",
    (draft) => draft.texts.splice(0, 1),
    "providers agree: n4 says that its SMS was delivered; none was taken",
  ],
  [
    "an SMS called failed that was taken",
    (draft) => void (noteIn(draft, "n5").channel_details.sms.reason = "rejected"),
    "providers agree: an SMS was taken for n5 (k-5), which says failed",
  ],
  [
    "an SMS called unknown at once, though it was answered",
    (draft) => {
      the(draft.texts[1]).answered = true;
      the(noteIn(draft, "n5").timeline[4]).at = the(noteIn(draft, "n5").timeline[3]).at;
    },
    "providers agree: the SMS of n5 (k-5) was answered, and is unknown",
  ],
  [
    "a push called delivered that was never taken",
    (draft) => draft.pushes.splice(0, 1),
    "providers agree: n3 says that its push was delivered; none was taken",
  ],
  [
    "a push that was taken and called failed",
    (draft) => void (noteIn(draft, "n3").channels.push = "failed"),
    "providers agree: a push was taken for n3, which says failed",
  ],
  [
    "a push about no note",
    (draft) => void (the(draft.pushes[1]).notificationId = "n9"),
    "providers agree: a push names n9, which is no note",
  ],
  [
    "a push about what was cancelled",
    (draft) => void (the(draft.pushes[0]).notificationId = "n6"),
    "providers agree: a push was taken for n6, which is cancelled",
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
  [
    "an end that Kafka was not told of",
    (draft) => draft.statement.outcomes.splice(1, 1),
    "told to Kafka: Kafka was not told that n1 is delivered",
  ],
  [
    "an end that Kafka was told otherwise",
    (draft) => draft.statement.outcomes.push({ notificationId: "n1", status: "failed" }),
    "told to Kafka: Kafka was told last that n1 is failed; it is delivered",
  ],
  [
    "an end of no note",
    (draft) => draft.statement.outcomes.push({ notificationId: "n9", status: "failed" }),
    "told to Kafka: Kafka was told of n9 (failed), which is no note",
  ],
];

it.each(BREAKS)("%s", (_what, change, sentence) => {
  expect(violations(run(change))).toContain(sentence);
});
