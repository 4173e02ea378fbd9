/** Puts records on the broker no faster than they are shown. */
import type { Expected } from "./expectation.ts";
import type { Stream } from "./stream.ts";
import type { TraceRecord } from "./trace-record.ts";

const STEP_RECORDS = 20;
/** At most so many are under way: whatever happens meanwhile happens in the middle of a stream. */
const WINDOW_RECORDS = 100;

/** @param untilShown resolves when this many of the records have been shown */
export async function produceInStep(
  stream: Stream,
  records: readonly { readonly record: TraceRecord; readonly place: number }[],
  expected: readonly Expected[],
  untilShown: (count: number) => Promise<void>,
): Promise<void> {
  let due = 0;
  for (let from = 0; from < records.length; from += STEP_RECORDS) {
    await untilShown(due - WINDOW_RECORDS);
    await stream.produce(records.slice(from, from + STEP_RECORDS));
    due += expected
      .slice(from, from + STEP_RECORDS)
      .filter(({ verdict }) => verdict === "delivered").length;
  }
}
