/** Waits until the product has nothing more to do, told from the broker and the ledger. */
import { setTimeout as delay } from "node:timers/promises";
import type { Books } from "./books.ts";
import type { Cast } from "./cast.ts";
import { behind, type Stream } from "./stream.ts";

const POLL_MS = 100;
/** Without any progress. */
const STALL_DEADLINE_MS = 60_000;

export interface Quiet {
  readonly cast: Pick<Cast, "groups">;
  readonly stream: Pick<Stream, "ends" | "committed">;
  readonly books: Pick<Books, "unsettled">;
  readonly domainTopics: readonly string[];
  readonly teacherTopics: readonly string[];
}

/**
 * Resolves when everything on the topics was read and committed, and every notification has settled.
 * @throws Error if there is no progress for a minute
 */
export async function untilQuiet(quiet: Quiet): Promise<void> {
  const { cast, stream, books } = quiet;
  const left = async (topics: readonly string[], group: string): Promise<string[]> =>
    behind(await stream.ends(topics), await stream.committed(group));
  await untilNone("events to project", () => left(quiet.domainTopics, cast.groups.projector));
  // Only now does the number of teacher events no longer grow.
  await untilNone("events to take in", () => left(quiet.teacherTopics, cast.groups.ingest));
  await untilNone("notifications to settle", async () => {
    const open = await books.unsettled();
    return open === 0 ? [] : [String(open)];
  });
}

async function untilNone(what: string, read: () => Promise<string[]>): Promise<void> {
  let left = "";
  let changedAt = performance.now();
  for (;;) {
    const now = (await read()).join(", ");
    if (now === "") return;
    if (now !== left) changedAt = performance.now();
    left = now;
    if (performance.now() - changedAt > STALL_DEADLINE_MS) {
      throw new Error(`no progress for ${STALL_DEADLINE_MS} ms; ${what}: ${left}`);
    }
    await delay(POLL_MS);
  }
}
