/** What must hold before a request is accepted: the template, the right to send it, data, times. */
import type { DataContext } from "../content/registry.ts";
import type { Template } from "../content/template.ts";
import type { Caller } from "../contract/caller.ts";
import type { NotificationRequest } from "../contract/notification-request.ts";
import type { Family } from "../contract/vocabulary.ts";
import { Problem, type ProblemIssue } from "../platform/problems.ts";

/** Whoever schedules further ahead would better ask again: people, schools and texts change. */
const MAX_AHEAD_MS = 366 * 86_400_000;

export interface RequestChecks {
  readonly templates: {
    get(id: string): Template | undefined;
    checkData(
      template: Template,
      data: Readonly<Record<string, unknown>>,
      context?: DataContext,
      rule?: "strict" | "lenient",
    ): ProblemIssue[];
  };
  readonly mayNotify: (caller: Caller, family: Family) => boolean;
  readonly mayRaiseToCritical: (caller: Caller) => boolean;
  readonly clock: { now(): number };
}

const NO_CONTEXT: DataContext = {};

/** What stands beside the data; most requests have none of it. */
function contextOf({ batch_id, class_id, student_id }: NotificationRequest): DataContext {
  const none = batch_id === undefined && class_id === undefined && student_id === undefined;
  return none ? NO_CONTEXT : { batch_id, class_id, student_id };
}

/**
 * The template of a request that may be sent.
 * @throws Problem that says what is wrong and where.
 */
export function checkRequest(
  options: RequestChecks,
  request: NotificationRequest,
  caller: Caller,
  leniency: "strict" | "lenient" = "strict",
): Template {
  const template = options.templates.get(request.template_id);
  if (template === undefined) {
    throw new Problem("unknown_template", `There is no template ${request.template_id}.`);
  }
  if (!options.mayNotify(caller, template.family)) {
    throw new Problem(
      "forbidden",
      `The token needs the scope notify:send or notify:send:${template.family}.`,
    );
  }
  const raises = request.priority === "critical" && template.priority !== "critical";
  if (raises && !options.mayRaiseToCritical(caller)) {
    throw new Problem("forbidden", "Raising to critical needs the scope notify:send:critical.");
  }
  const issues = options.templates.checkData(template, request.data, contextOf(request), leniency);
  if (issues.length > 0) {
    throw new Problem("invalid_template_data", `The data does not fit ${template.id}.`, {
      errors: issues,
    });
  }
  if (request.expires_at !== undefined && Date.parse(request.expires_at) <= options.clock.now()) {
    throw new Problem("invalid_request", "expires_at has passed.", {
      errors: [{ path: "expires_at", message: "must be in the future" }],
    });
  }
  if (
    request.send_at !== undefined &&
    Date.parse(request.send_at) > options.clock.now() + MAX_AHEAD_MS
  ) {
    throw new Problem("invalid_request", "send_at is more than a year ahead.", {
      errors: [{ path: "send_at", message: "must be within a year" }],
    });
  }
  if (
    request.send_at !== undefined &&
    request.expires_at !== undefined &&
    Date.parse(request.expires_at) <= Date.parse(request.send_at)
  ) {
    throw new Problem("invalid_date_range", "expires_at is not after send_at.", {
      errors: [{ path: "expires_at", message: "must be after send_at" }],
    });
  }
  return template;
}
