/**
 * No notification appears twice on a page. A page that was loaded anew begins with an empty list and
 * shows again what is kept, so each visit counts for itself.
 */
import type { Finding } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";

export function shownOnce(file: CaseFile): Finding {
  const tally = startTally("shown once");
  for (const { name, events } of file.tabs) {
    let visit = 0;
    let seen = new Set<string>();
    for (const event of events) {
      if (event.kind === "open" && event.visit !== visit) {
        visit = event.visit;
        seen = new Set();
      }
      if (event.kind !== "shown") continue;
      const { notificationId } = event;
      tally.expect(!seen.has(notificationId), () => `${name} showed ${notificationId} twice`);
      seen.add(notificationId);
    }
  }
  return tally.finding();
}
