/** When a notification must be dealt with, and what follows from that for its delivery. */
import type { Priority } from "../contract/vocabulary.ts";
import { parseInstant } from "./instant.ts";
import type { Template } from "./template.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** No push service is asked to keep a message for longer than a day. */
const MAX_PUSH_TTL_SECONDS = 86_400;

const PUSH_TTL_SECONDS: Readonly<Record<Priority, number>> = {
  critical: MAX_PUSH_TTL_SECONDS,
  immediate: 14_400,
  high: 14_400,
  standard: 3_600,
  low: 300,
};

/**
 * The deadline in epoch milliseconds: the template's field of `data` (without an offset: UTC), else
 * its default counted from acceptance, else null.
 */
export function deadlineOf(
  template: Pick<Template, "deadline">,
  data: Readonly<Record<string, unknown>>,
  acceptedAtMs: number,
): number | null {
  const rule = template.deadline;
  if (rule === undefined) return null;
  const stated = data[rule.field];
  const deadlineMs = typeof stated === "string" ? parseInstant(stated) : null;
  if (deadlineMs !== null) return deadlineMs;
  return rule.defaultHours === undefined ? null : acceptedAtMs + rule.defaultHours * HOUR_MS;
}

/**
 * Seconds a push service may keep the message. What is critical, or whose template says so, is
 * kept until its deadline, a day at most; once that has passed the priority decides.
 */
export function pushTtlSeconds(
  template: Pick<Template, "pushTtl">,
  priority: Priority,
  deadlineMs: number | null,
  nowMs: number,
): number {
  const untilDeadline = template.pushTtl === "deadline" || priority === "critical";
  if (!untilDeadline || deadlineMs === null || deadlineMs <= nowMs) {
    return PUSH_TTL_SECONDS[priority];
  }
  return Math.min(MAX_PUSH_TTL_SECONDS, Math.ceil((deadlineMs - nowMs) / SECOND_MS));
}

/**
 * Whether it is too late to deliver. Only templates marked expirable ever are: a reminder about a
 * date that has passed is still delivered, unless its sender set `expires_at`.
 */
export function hasExpired(
  template: Pick<Template, "expirable">,
  deadlineMs: number | null,
  nowMs: number,
): boolean {
  return template.expirable && deadlineMs !== null && deadlineMs <= nowMs;
}

/**
 * Whether the person must do something. A sentence in `data.action_required` decides where there
 * is one (IEP senders describe the step in words); else the template.
 */
export function actionRequired(
  template: Pick<Template, "actionRequired">,
  data: Readonly<Record<string, unknown>>,
): boolean {
  const stated = data["action_required"];
  if (typeof stated === "string") return stated.trim() !== "";
  return typeof stated === "boolean" ? stated : template.actionRequired;
}
