/** Turns whatever went wrong into a problem document (RFC 9457) that says what the caller can act on. */
import { z } from "zod";
import { PROBLEMS, Problem, type ProblemCode } from "../platform/problems.ts";
import { isRedisUnavailable } from "../platform/redis-failure.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** Redis is usually back within a failover's second; the caller's own backoff does the rest. */
const UNAVAILABLE_RETRY_SECONDS = 1;

/** Enough to mend a request by; a bulk body could hold thousands. */
const MAX_LISTED_ERRORS = 50;

const codes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]; // keys of a const object

/** Also describes every refusal in the OpenAPI document. */
export const problemDocumentSchema = z.object({
  type: z.string().meta({ description: "address of the description of this code" }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(codes),
  request_id: z.string().meta({ description: "the X-Request-Id of this request" }),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .meta({ description: "what is wrong where; empty when the code says it all" }),
});

export type ProblemDocument = z.infer<typeof problemDocumentSchema>;

export function problemDocument(problem: Problem, requestId: string): ProblemDocument {
  return {
    type: `/docs/errors#${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    request_id: requestId,
    errors: problem.errors
      .slice(0, MAX_LISTED_ERRORS)
      .map(({ path, message }) => ({ path, message })),
  };
}

/** Every error as a problem. A bug becomes `internal`, whose detail tells nothing about the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isRedisUnavailable(error)) {
    return new Problem("unavailable", "Storage is not available now. Try again shortly.", {
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    });
  }
  // Express marks a path that it could not decode with a status; any other URIError is a bug.
  if (error instanceof URIError && "status" in error) {
    return new Problem("invalid_request", "The path is not valid percent-encoding.");
  }
  return new Problem("internal", "Something went wrong here. The request id helps to find it.");
}
