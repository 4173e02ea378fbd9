/** A person's own list of browsers that ring for them. */
import { z } from "zod";
import { tokenRoute, type Route } from "../../http/route.ts";
import { Problem } from "../../platform/problems.ts";
import type { Device, SubscriptionStore } from "./subscriptions.ts";

export interface DeviceRoutesOptions {
  readonly subscriptions: Pick<SubscriptionStore, "list" | "dismiss">;
}

const deviceSchema = z.object({
  id: z.string().describe("`subscription_id` of the answer with which it was stored"),
  label: z.string().nullable().describe("such as: Firefox on Linux; null where it is not known"),
  push_service: z.string().describe("host of the push service that its messages go through"),
  created_at: z.iso.datetime().describe("when it subscribed"),
  last_seen_at: z.iso.datetime().describe("when it last showed itself, at most a day coarse"),
  expires_at: z.iso.datetime().describe("when it is given up, unless it is seen again before"),
});

/** Nothing with which anybody could send to it: neither its endpoint nor its keys. */
function viewDevice(device: Device): z.infer<typeof deviceSchema> {
  return {
    id: device.subscriptionId,
    label: device.label ?? null,
    push_service: URL.parse(device.endpoint)?.host ?? "",
    created_at: new Date(device.createdAt).toISOString(),
    last_seen_at: new Date(device.lastSeenAt).toISOString(),
    expires_at: new Date(device.expiresAt).toISOString(),
  };
}

export function deviceRoutes({ subscriptions }: DeviceRoutesOptions): Route[] {
  return [
    tokenRoute({
      method: "get",
      path: "/push/subscriptions",
      summary: "The caller's browsers, the one seen last first",
      tag: "Push",
      rateLimit: "default",
      scopes: [],
      responses: {
        200: {
          description: "At most ten",
          schema: z.object({ subscriptions: z.array(deviceSchema) }),
        },
      },
      problems: [],
      async handle({ caller }) {
        const devices = await subscriptions.list(caller.userId);
        return { status: 200, body: { subscriptions: devices.map(viewDevice) } };
      },
    }),

    tokenRoute({
      method: "delete",
      path: "/push/subscriptions/:id",
      summary: "Take one of the caller's browsers off the list",
      tag: "Push",
      rateLimit: "default",
      scopes: [],
      params: z.object({ id: z.string().max(64).describe("`id` in the list") }),
      responses: { 204: { description: "Nothing is sent to it any more" } },
      problems: ["not_found"],
      async handle({ params, caller }) {
        if (await subscriptions.dismiss(caller.userId, params.id)) return { status: 204 };
        throw new Problem("not_found", "There is no such device in your list.");
      },
    }),
  ];
}
