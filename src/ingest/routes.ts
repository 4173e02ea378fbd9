/** `POST /notify` and `POST /notify/bulk`: how services hand over notifications. */
import { z } from "zod";
import { SEND_SCOPES } from "../auth/scopes.ts";
import type { Caller } from "../contract/caller.ts";
import { notificationRequestSchema } from "../contract/notification-request.ts";
import { STATUSES } from "../contract/vocabulary.ts";
import { DEFAULT_BODY_LIMIT_BYTES } from "../http/body-bytes.ts";
import { describedAs } from "../http/openapi.ts";
import { problemDocument, problemDocumentSchema } from "../http/problem.ts";
import { tokenRoute, type Reply, type RequestContext, type Route } from "../http/route.ts";
import { validate } from "../http/validate.ts";
import { Problem } from "../platform/problems.ts";
import { asCreated } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { isSettled } from "../tracking/status-machine.ts";
import { notificationStatusSchema, viewStatus } from "../tracking/view.ts";
import type { Accept } from "./accept.ts";
import { MAX_WAIT_SECONDS, parsePreferWait } from "./prefer.ts";
import type { Acceptance, Submission } from "./submission.ts";

const BULK_BODY_BYTES = 4 * 1_024 * 1_024;
const BULK_MAX_ITEMS = 1_000;
const MAX_KEY_LENGTH = 255;

const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be visible ASCII characters")
  .max(MAX_KEY_LENGTH)
  .meta({ examples: ["meeting-4711"] });

const bulkItemSchema = notificationRequestSchema.extend({
  idempotency_key: idempotencyKeySchema
    .optional()
    .describe("as the header of POST /notify; default: that of the whole request and the index"),
});

const bulkRequestSchema = z.object({
  notifications: z
    .array(describedAs(bulkItemSchema, "as the body of POST /notify, and its own key"))
    .min(1)
    .max(BULK_MAX_ITEMS)
    .describe("a wrong one does not keep the others from being accepted"),
});

const notifyHeaders = z.object({
  "Idempotency-Key": idempotencyKeySchema
    .optional()
    .describe("the same request with the same key within 24 hours is the same notification"),
  Prefer: z
    .string()
    .optional()
    .meta({
      description:
        `wait=N: answer when it has settled (200), or after N seconds (202), at most ` +
        `${MAX_WAIT_SECONDS}; default: answer once it is durable (202)`,
      examples: ["wait=5"],
    }),
});

const bulkHeaders = z.object({
  "Idempotency-Key": idempotencyKeySchema
    .optional()
    .describe("makes a key for each item that has none"),
});

const EXAMPLE = {
  user_id: "teacher-1",
  template_id: "announcement",
  data: { title: "Good morning", body: "The first bell rings at eight." },
} satisfies z.input<typeof notificationRequestSchema>;

const BULK_EXAMPLE = { notifications: [EXAMPLE, { ...EXAMPLE, user_id: "teacher-2" }] };

const bulkResultSchema = z.object({
  accepted: z.number().int(),
  rejected: z.number().int(),
  results: z.array(
    z.union([
      z.object({
        index: z.number().int(),
        notification_id: z.string(),
        status: z.enum(STATUSES),
        repeated: z.boolean().optional().describe("it was there before, by its key or event id"),
      }),
      z.object({ index: z.number().int(), problem: problemDocumentSchema }),
    ]),
  ),
});

export interface IngestRoutesOptions {
  readonly accept: Accept;
  readonly fetch: (ids: readonly string[]) => Promise<Map<string, Note>>;
  readonly settlements: {
    readonly node: string;
    listen(noteId: string): { wait(timeoutMs: number): Promise<boolean>; close(): void };
  };
  readonly clock: { now(): number };
}

/** What a handler of this room adds to an answer. */
type Headers = Record<string, string>;

export function ingestRoutes(options: IngestRoutesOptions): Route[] {
  const { accept, settlements } = options;

  async function read(id: string): Promise<Note> {
    const note = (await options.fetch([id])).get(id);
    if (note === undefined) {
      throw new Problem("unavailable", "The notification was accepted but cannot be read now.", {
        retryAfterSeconds: 1,
      });
    }
    return note;
  }

  async function notify(submission: Submission, caller: Caller) {
    const [result] = await accept([submission], caller);
    const acceptance = accepted(result);
    const { created } = acceptance;
    return { acceptance, note: created ? asCreated(created) : await read(acceptance.id) };
  }

  /** Resolves with the note once it has settled, or as it is when the wait runs out. */
  async function notifyAndWait(submission: Submission, caller: Caller, seconds: number) {
    const ears: ReturnType<typeof settlements.listen>[] = [];
    const replyTo = {
      node: settlements.node,
      expect: (id: string) => void ears.push(settlements.listen(id)),
    };
    try {
      const [result] = await accept([submission], caller, replyTo);
      const acceptance = accepted(result);
      // One that was there before may have settled already, and says so to nobody.
      if (acceptance.repeated || acceptance.suppressed) {
        const before = await read(acceptance.id);
        if (isSettled(before.status)) return { acceptance, note: before };
      }
      await ears[0]?.wait(seconds * 1_000);
      return { acceptance, note: await read(acceptance.id) };
    } finally {
      for (const ear of ears) ear.close();
    }
  }

  return [
    tokenRoute({
      method: "post",
      path: "/notify",
      tag: "Notifications",
      summary: "Send one notification to one user",
      scopes: SEND_SCOPES,
      rateLimit: "default",
      headers: notifyHeaders,
      body: notificationRequestSchema,
      example: EXAMPLE,
      responses: {
        200: { description: "It has settled (Prefer: wait)", schema: notificationStatusSchema },
        202: { description: "It is accepted and durable", schema: notificationStatusSchema },
      },
      problems: [
        ...(["invalid_request", "invalid_template_data", "invalid_date_range"] as const),
        ...(["forbidden", "unknown_template", "idempotency_conflict"] as const),
      ],
      async handle({ body, caller, context }): Promise<Reply> {
        const waitSeconds = parsePreferWait(context.header("prefer"));
        const submission = { request: body, idempotencyKey: keyOf(context) };
        const { acceptance, note } =
          waitSeconds === undefined
            ? await notify(submission, caller)
            : await notifyAndWait(submission, caller, waitSeconds);
        const headers: Headers = { Location: `/notifications/${note.id}` };
        if (acceptance.repeated) headers["Idempotency-Replayed"] = "true";
        if (waitSeconds !== undefined) headers["Preference-Applied"] = `wait=${waitSeconds}`;
        const settled = waitSeconds !== undefined && isSettled(note.status);
        if (settled) return { status: 200, body: viewStatus(note), headers };
        // A repeated request may find that its notification has settled: then all of it is told.
        if (isSettled(note.status)) return { status: 202, body: viewStatus(note), headers };
        const pending = { ...viewStatus(note), replay_id: null, websocket_connections: 0 };
        return { status: 202, body: pending, headers };
      },
    }),

    tokenRoute({
      method: "post",
      path: "/notify/bulk",
      tag: "Notifications",
      summary: "Send up to 1,000 notifications, each with its own result",
      scopes: SEND_SCOPES,
      rateLimit: "default",
      bodyLimitBytes: BULK_BODY_BYTES,
      headers: bulkHeaders,
      body: bulkRequestSchema,
      example: BULK_EXAMPLE,
      cost: (body) => body.notifications.length,
      responses: { 202: { description: "A result for each", schema: bulkResultSchema } },
      problems: ["invalid_request"],
      async handle({ body, caller, context }): Promise<Reply> {
        return { status: 202, body: await bulk(body.notifications, caller, context) };
      },
    }),
  ];

  async function bulk(items: readonly unknown[], caller: Caller, context: RequestContext) {
    const results: z.infer<typeof bulkResultSchema>["results"] = [];
    const valid: { index: number; submission: Submission }[] = [];
    const reject = (index: number, problem: Problem): void => {
      results[index] = { index, problem: problemDocument(problem, context.requestId) };
    };
    // A key for the whole request makes one for each item that has none.
    const key = keyOf(context);
    items.forEach((item, index) => {
      try {
        checkItemSize(item);
        const parsed = bulkItemSchema.safeParse(item);
        if (!parsed.success) validate(bulkItemSchema, item, "body");
        else {
          const { idempotency_key: own, ...request } = parsed.data;
          const idempotencyKey = own ?? (key === undefined ? undefined : `${key}#${index}`);
          valid.push({ index, submission: { request, idempotencyKey } });
        }
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        reject(index, error);
      }
    });
    const acceptances = await accept(
      valid.map(({ submission }) => submission),
      caller,
    );
    const repeated = await options.fetch(
      acceptances.flatMap((result) =>
        result.kind === "accepted" && result.repeated ? [result.id] : [],
      ),
    );
    valid.forEach(({ index, submission }, at) => {
      const acceptance = acceptances[at];
      if (acceptance?.kind === "refused") return reject(index, acceptance.problem);
      const result = accepted(acceptance);
      const later = Date.parse(submission.request.send_at ?? "") > options.clock.now();
      const fresh = result.suppressed ? "suppressed" : later ? "scheduled" : "queued";
      const before = repeated.get(result.id);
      results[index] = {
        index,
        notification_id: result.id,
        status: before?.status ?? fresh,
        ...(before === undefined ? {} : { repeated: true }),
      };
    });
    const rejected = results.filter((result) => "problem" in result).length;
    return { accepted: results.length - rejected, rejected, results };
  }
}

/**
 * As by itself: a message is kept a hundred times over, and one of more than a megabyte would close each
 * of its person's sockets as too slow, again with each replay, and let nothing behind it through.
 * @throws Problem `body_too_large`
 */
function checkItemSize(item: unknown): void {
  if (Buffer.byteLength(JSON.stringify(item)) <= DEFAULT_BODY_LIMIT_BYTES) return;
  throw new Problem("body_too_large", `An item may hold ${DEFAULT_BODY_LIMIT_BYTES} bytes.`);
}

function accepted(result: Acceptance | undefined): Extract<Acceptance, { kind: "accepted" }> {
  if (result?.kind === "refused") throw result.problem;
  // Only events say of which occurrence they tell, so no request gives way to another.
  if (result?.kind !== "accepted") throw new Error("accept returned no result");
  return result;
}

function keyOf(context: RequestContext): string | undefined {
  const header = context.header("idempotency-key");
  if (header === undefined) return undefined;
  const parsed = idempotencyKeySchema.safeParse(header);
  if (parsed.success) return parsed.data;
  throw new Problem("invalid_request", "The Idempotency-Key header is not valid.", {
    errors: [{ path: "Idempotency-Key", message: `1 to ${MAX_KEY_LENGTH} visible characters` }],
  });
}
