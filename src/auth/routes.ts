/** `POST /ws/ticket`: buys a one-time ticket for a WebSocket with a token. */
import { z } from "zod";
import { tokenRoute, type Route } from "../http/route.ts";
import { TICKET_TTL_MS, type Tickets } from "./tickets.ts";

const ticketSchema = z.object({
  ticket: z
    .string()
    .describe("for `/ws/notify?ticket=…`: good for one socket")
    .meta({ examples: ["mZ0vV8nS9b0l1qGJ3xYtK7wq2hQ5dCfR6uEoPzLkXaM"] }),
  expires_at: z.iso
    .datetime()
    .describe(`until when a socket must have been opened with it: ${TICKET_TTL_MS / 1_000} s`)
    .meta({ examples: ["2026-09-15T14:00:30.000Z"] }),
});

export function ticketRoutes({ tickets }: { readonly tickets: Pick<Tickets, "issue"> }): Route[] {
  return [
    tokenRoute({
      method: "post",
      path: "/ws/ticket",
      summary: "A one-time ticket that opens a WebSocket, so that no token stands in an address",
      tag: "WebSocket",
      scopes: [],
      rateLimit: "default",
      responses: { 200: { description: "The ticket", schema: ticketSchema } },
      problems: [],
      async handle({ caller }) {
        const { ticket, expiresAt } = await tickets.issue(caller);
        return {
          status: 200,
          body: { ticket, expires_at: new Date(expiresAt).toISOString() },
          headers: { "Cache-Control": "no-store" },
        };
      },
    }),
  ];
}
