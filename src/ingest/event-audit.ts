/** Audit lines of events that did not become notifications: equal ones that came together are one line. */
import type { Submission } from "./submission.ts";

export interface EventAuditEntry {
  readonly action: "skipped" | "dead_lettered" | "dropped";
  readonly code: string;
  readonly caller: string;
  readonly user_id?: string;
  readonly template_id?: string;
  /** How many events the line stands for, if more than one. */
  readonly count?: number;
}

export interface EventAudit {
  add(entry: EventAuditEntry): Promise<void>;
}

interface Decision {
  readonly submission?: Submission | undefined;
  readonly outcome: { readonly kind: string; readonly reason?: string };
}

/** What is audited of `decisions`, in their order. A tombstone says nothing about anyone. */
export function auditEntries(decisions: readonly Decision[], caller: string): EventAuditEntry[] {
  const counted = new Map<string, { entry: EventAuditEntry; count: number }>();
  for (const { submission, outcome } of decisions) {
    const { kind: action, reason: code } = outcome;
    if (action !== "skipped" && action !== "dead_lettered" && action !== "dropped") continue;
    if (code === undefined || code === "tombstone") continue;
    const entry = { action, code, caller, ...whomOf(submission) } as const;
    const key = JSON.stringify(entry);
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { entry, count: 1 });
    else known.count += 1;
  }
  return [...counted.values()].map(({ entry, count }) =>
    count === 1 ? entry : { ...entry, count },
  );
}

function whomOf(submission: Submission | undefined) {
  if (submission === undefined) return {};
  const { user_id, template_id } = submission.request;
  return { user_id, template_id };
}
