/** `GET` and `PUT /owners/{kind}/{id}`: who owns a batch or class, as far as events have said. */
import { z } from "zod";
import { ADMIN } from "../auth/scopes.ts";
import { userIdSchema } from "../contract/notification-request.ts";
import { tokenRoute, type Route } from "../http/route.ts";
import { Problem } from "../platform/problems.ts";
import { OWNED_KINDS } from "./domain-event.ts";
import { reference } from "./event-fields.ts";
import type { OwnerClaim, OwnerIndex } from "./owner-index.ts";

const params = z.object({
  kind: z
    .enum(OWNED_KINDS, { error: `must be one of ${OWNED_KINDS.join(", ")}` })
    .describe("what is owned"),
  id: reference.describe("`batch_id` or `class_id` of the events"),
});

const ownerSchema = z.object({
  kind: z.enum(OWNED_KINDS),
  id: z.string(),
  user_id: z.string().describe("whom events about it are for"),
});

export interface OwnerRoutesOptions {
  readonly owners: Pick<OwnerIndex, "ownersOf" | "put">;
  /** `before`: whose it was, where somebody was known. */
  readonly onPut: (
    callerId: string,
    claim: OwnerClaim,
    before: string | undefined,
  ) => Promise<void>;
}

export function ownerRoutes({ owners, onPut }: OwnerRoutesOptions): Route[] {
  const shared = {
    path: "/owners/:kind/:id",
    tag: "Owners",
    scopes: [ADMIN],
    rateLimit: "default",
    params,
    responses: { 200: { description: "The owner", schema: ownerSchema } },
  } as const;
  return [
    tokenRoute({
      ...shared,
      method: "get",
      summary: "Who owns a batch or class",
      problems: ["invalid_request", "forbidden", "not_found"],
      async handle({ params: { kind, id } }) {
        const [userId] = await owners.ownersOf([{ kind, id }]);
        if (userId === undefined) {
          throw new Problem("not_found", `No owner of this ${kind} is known.`);
        }
        return { status: 200, body: { kind, id, user_id: userId } };
      },
    }),
    tokenRoute({
      ...shared,
      method: "put",
      summary: "Set who owns a batch or class, whatever events say",
      body: z.object({ user_id: userIdSchema.describe("whom events about it are for") }),
      example: { user_id: "teacher-1" },
      problems: ["invalid_request", "forbidden"],
      async handle({ params: { kind, id }, body: { user_id: userId }, caller }) {
        const claim = { kind, id, userId };
        const before = await owners.put(claim);
        await onPut(caller.userId, claim, before);
        return { status: 200, body: { kind, id, user_id: userId } };
      },
    }),
  ];
}
