/** The one table of error codes (RFC 9457): code, HTTP status, title, whether trying again can help. */

export const PROBLEMS = {
  invalid_json: { status: 400, title: "The body is not JSON", retryable: false },
  invalid_request: { status: 400, title: "The request is not valid", retryable: false },
  invalid_template_data: {
    status: 400,
    title: "The data does not fit the template",
    retryable: false,
  },
  invalid_date_range: { status: 400, title: "The date range is not valid", retryable: false },
  invalid_subscription: {
    status: 400,
    title: "The push subscription is not valid",
    retryable: false,
  },
  endpoint_not_allowed: {
    status: 400,
    title: "The push endpoint is not allowed",
    retryable: false,
  },
  unauthenticated: { status: 401, title: "A valid token is required", retryable: false },
  forbidden: { status: 403, title: "This is not allowed", retryable: false },
  not_found: { status: 404, title: "There is nothing here", retryable: false },
  unknown_template: { status: 404, title: "There is no such template", retryable: false },
  method_not_allowed: {
    status: 405,
    title: "The method is not allowed here",
    retryable: false,
  },
  idempotency_conflict: {
    status: 409,
    title: "The idempotency key was used with another body",
    retryable: false,
  },
  not_cancellable: { status: 409, title: "It can no longer be cancelled", retryable: false },
  not_redrivable: { status: 409, title: "It cannot be sent again", retryable: false },
  subscription_removed: {
    status: 410,
    title: "The push subscription was removed",
    retryable: false,
  },
  not_snoozable: { status: 409, title: "It cannot be put off", retryable: false },
  receipt_expired: { status: 410, title: "The receipt has expired", retryable: false },
  body_too_large: { status: 413, title: "The body is too large", retryable: false },
  unsupported_media_type: {
    status: 415,
    title: "The body is of another type than this takes",
    retryable: false,
  },
  rate_limited: { status: 429, title: "Too many requests", retryable: true },
  internal: { status: 500, title: "Something went wrong here", retryable: true },
  unavailable: { status: 503, title: "The service is not available now", retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface ProblemIssue {
  /** Where in the body or query, dotted: `data.meeting_date`. */
  readonly path: string;
  readonly message: string;
}

/** An expected refusal: thrown in handlers, turned into a problem document at the rim. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly ProblemIssue[];
  /** Seconds for `Retry-After`, where the caller should wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    extra: { errors?: readonly ProblemIssue[]; retryAfterSeconds?: number } = {},
  ) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.errors = extra.errors ?? [];
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}
