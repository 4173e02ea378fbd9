/** Every way in which providers and other services can be told wrongly is found. */
import { expect, it } from "vitest";
import { push, START } from "./sound-run.ts";
import { noteIn, run, the, violations, type Change } from "./tampering.ts";

/** What is broken, and a sentence that tells of it. */
const BREAKS: readonly (readonly [string, Change, string])[] = [
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
    "a text about what was taken and is gone",
    (draft) => {
      Object.assign(the(draft.asked[3]), { ids: [], acceptedAt: undefined });
      draft.statement.notes.splice(3, 1);
    },
    "texted once: k-4 was texted, and is no note",
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
    (draft) => {
      draft.texts.push({ at: START + 100, to: "+46702", key: "k-5", answered: false });
      noteIn(draft, "n5").channel_details.sms.reason = "rejected";
    },
    "providers agree: an SMS was taken for n5 (k-5), which says failed",
  ],
  [
    "an SMS that was taken, and was never found out about",
    (draft) => {
      draft.texts.push({ at: START + 100, to: "+46702", key: "k-5", answered: false });
    },
    "providers agree: an SMS was taken for n5 (k-5), which says unknown",
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
    "a push to somebody else's browser",
    (draft) => void draft.browsers.set("p1", "cem"),
    "providers agree: a push for ben (n3) was handed to a browser of cem",
  ],
  [
    "a push that says what another message says",
    (draft) => void (the(draft.pushes[0]).key = "k-4"),
    "providers agree: the push of n3 (k-3) says what was asked for as k-4",
  ],
  [
    "a push that is sent again to who has it",
    (draft) => draft.pushes.push(push("p1", 201)),
    "providers agree: p1 took n3 2 times, though it was heard to have it",
  ],
  [
    "a push about what was cancelled",
    (draft) => void (the(draft.pushes[0]).notificationId = "n6"),
    "providers agree: a push was taken for n6, which is cancelled",
  ],
  [
    "an end that Kafka was not told of",
    (draft) => draft.statement.outcomes.splice(1, 1),
    "told to Kafka: Kafka was not told that n1 is delivered",
  ],
  [
    "an end that Kafka was told otherwise",
    (draft) =>
      draft.statement.outcomes.push({ notificationId: "n1", outcome: "late", status: "failed" }),
    "told to Kafka: Kafka was told last that n1 is failed; it is delivered",
  ],
  [
    "an end that Kafka was told of twice, as two events",
    (draft) => {
      draft.statement.outcomes.push({
        notificationId: "n1",
        outcome: "settled",
        status: "delivered",
      });
    },
    "told to Kafka: Kafka was told 2 times, not 1, that n1 is settled",
  ],
  [
    "a late end that Kafka was not told of",
    (draft) => void (the(draft.statement.outcomes.at(-1)).outcome = "confirmed"),
    "told to Kafka: Kafka was told 0 times, not 1, that n7 is late",
  ],
  [
    "an end of no note",
    (draft) =>
      draft.statement.outcomes.push({ notificationId: "n9", outcome: "settled", status: "failed" }),
    "told to Kafka: Kafka was told of n9 (failed), which is no note",
  ],
];

it.each(BREAKS)("%s", (_what, change, sentence) => {
  expect(violations(run(change))).toContain(sentence);
});
