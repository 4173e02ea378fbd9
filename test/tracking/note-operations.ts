/** What may happen to notes, in any order: for tests that hold the ledger to a recount. */
import fc from "fast-check";
import { CHANNELS, type Channel } from "../../src/contract/vocabulary.ts";

/** So many people; the first of them is never online. */
export const USERS = 3;

/** Only what fails can be sent again: so most things do. */
const end = fc.oneof(
  { weight: 7, arbitrary: fc.constant("failed") },
  { weight: 4, arbitrary: fc.constantFrom("delivered", "unknown", "again", "expire") },
  { weight: 2, arbitrary: fc.constantFrom("hold", "lost", "condemn") },
);
const which = fc.nat({ max: 5 });
const channels = fc.subarray([...CHANNELS], { minLength: 1 });
const acceptance = fc.record({
  kind: fc.constant("accept" as const),
  user: fc.nat({ max: USERS - 1 }),
  open: channels,
  lesser: fc.boolean(),
  scheduled: fc.constantFrom(false, false, false, true),
});
const stage = fc.record({
  kind: fc.constant("step" as const),
  which,
  end,
  twice: fc.boolean(),
});
const receipt = fc.record({
  kind: fc.constant("receive" as const),
  which,
  channel: fc.constantFrom(...CHANNELS),
  as: fc.constantFrom("delivered", "confirmed", "read"),
});
const report = fc.record({
  kind: fc.constant("report" as const),
  which,
  status: fc.constantFrom("sent", "delivered", "undelivered", "undelivered"),
  /** Of a sending that was not the last. */
  isOld: fc.constantFrom(false, false, false, true),
});
const redrive = fc.record({
  kind: fc.constant("redrive" as const),
  which,
  channels: fc.option(channels, { nil: undefined, freq: 2 }),
});
const cancellation = fc.record({ kind: fc.constant("cancel" as const), which });
// Most notes are led on: only what goes through its stages can fail, and be sent again.
const operation = fc.oneof(
  { weight: 1, arbitrary: acceptance },
  { weight: 12, arbitrary: stage },
  { weight: 2, arbitrary: receipt },
  { weight: 4, arbitrary: redrive },
  { weight: 3, arbitrary: report },
  { weight: 1, arbitrary: cancellation },
);
/** A few notes to begin with, and what happens to them; more may come. */
export const operations = fc
  .tuple(
    fc.array(acceptance, { minLength: 1, maxLength: 6 }),
    fc.array(operation, { minLength: 20, maxLength: 80, size: "max" }),
  )
  .map(([first, more]) => [...first, ...more]);

export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
export type OperationOf<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

const accepted = (user: number, open: readonly Channel[], scheduled = false): Operation => ({
  kind: "accept",
  user,
  open: [...open],
  lesser: true,
  scheduled,
});
const step = (note: number, how: OperationOf<"step">["end"]): Operation => ({
  kind: "step",
  which: note,
  end: how,
  twice: true,
});

/** Once past everything that can become of a note, which chance may leave out. */
export const TOUR: Operation[] = [
  // Stored, reached late, confirmed.
  accepted(0, ["websocket"]),
  step(0, "delivered"),
  { kind: "receive", which: 0, channel: "websocket", as: "confirmed" },
  // Written but not acknowledged, then refused by push; sent again, and delivered.
  accepted(1, ["websocket", "push"]),
  ...(["again", "failed", "failed", "failed"] as const).map((how) => step(1, how)),
  { kind: "redrive", which: 1, channels: undefined },
  ...(["again", "delivered"] as const).map((how) => step(1, how)),
  // Perhaps sent by SMS, and sent again because somebody says so.
  accepted(2, ["sms"]),
  ...(["unknown", "unknown"] as const).map((how) => step(2, how)),
  { kind: "redrive", which: 2, channels: undefined },
  { kind: "redrive", which: 2, channels: ["sms"] },
  accepted(0, ["push"], true),
  { kind: "cancel", which: 3 },
  // Taken by Twilio, and not by the phone; sent again, and arrived.
  accepted(1, ["sms"]),
  ...(["again", "delivered"] as const).map((how) => step(4, how)),
  { kind: "report", which: 4, status: "undelivered", isOld: false },
  { kind: "redrive", which: 4, channels: undefined },
  ...(["again", "delivered"] as const).map((how) => step(4, how)),
  { kind: "report", which: 4, status: "undelivered", isOld: true },
  { kind: "report", which: 4, status: "delivered", isOld: false },
  accepted(0, ["push"]),
  step(5, "expire"),
  // One too many in a minute.
  ...Array.from({ length: 3 }, () => accepted(2, ["push"])),
];
