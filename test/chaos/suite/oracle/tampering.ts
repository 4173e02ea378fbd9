/** Changes something in a run that was sound, and asks what is said of it then. */
import type { Evidence, Finding, PromiseName } from "../evidence.ts";
import { judge } from "./judge.ts";
import { SOUND_RUN } from "./sound-run.ts";

/** What may be written to. */
type Draft<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Draft<V>>
    : T extends readonly (infer I)[]
      ? Draft<I>[]
      : T extends object
        ? { -readonly [K in keyof T]: Draft<T[K]> }
        : T;

export type EvidenceDraft = Draft<Evidence>;
export type Change = (draft: EvidenceDraft) => void;

/** The sound run with something changed. */
export function run(change: Change = () => {}): Evidence {
  const draft = structuredClone(SOUND_RUN) as Draft<Evidence>; // a copy that is nobody else's
  change(draft);
  return draft;
}

/** All sentences, each behind its promise. */
export function violations(evidence: Evidence): string[] {
  return judge(evidence).flatMap(({ promise, violations: sentences }) =>
    sentences.map((sentence) => `${promise}: ${sentence}`),
  );
}

export function findingOf(evidence: Evidence, promise: PromiseName): Finding {
  const finding = judge(evidence).find((one) => one.promise === promise);
  if (finding === undefined) throw new Error(`nothing is found about ${promise}`);
  return finding;
}

/** What is there in the sound run. */
export function the<T>(item: T | undefined): T {
  if (item === undefined) throw new Error("the sound run has no such thing");
  return item;
}

export const noteIn = (draft: EvidenceDraft, id: string) =>
  the(draft.statement.notes.find((note) => note.notification_id === id));

/** The one page that is open. */
export const page = (draft: EvidenceDraft) => the(draft.tabs[0]);
