/** Health for people (`/health`), for the supervisor (`/health/live`) and the load balancer (`/health/ready`). */
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { Problem } from "../platform/problems.ts";
import { publicRoute, type Route } from "./route.ts";

const stateSchema = z.enum(["healthy", "degraded", "unhealthy", "disabled"]);
export type HealthState = z.infer<typeof stateSchema>;

const reportSchema = z.object({
  total_connections: z
    .int()
    .meta({ description: "open WebSockets, all gateway processes together" }),
  active_users: z.int().meta({ description: "users with at least one open WebSocket" }),
  average_duration_seconds: z.number().meta({ description: "mean age of the open WebSockets" }),
  replay_sequence: z.int().meta({ description: "messages ever put into a history" }),
  redis: stateSchema,
  services: z.object({
    websocket: stateSchema,
    push: stateSchema.meta({
      description:
        "degraded: some push services fail, ask for a pause or refuse our keys; unhealthy: all in use fail",
    }),
    sms: stateSchema.meta({ description: "unhealthy: its provider fails, and messages wait" }),
    templates: stateSchema,
  }),
  open_breakers: z
    .object({ push: z.int(), sms: z.int() })
    .meta({ description: "providers that are not asked for a while, as they failed" }),
  push_reason: z
    .enum(["keys_refused"])
    .nullable()
    .meta({
      description:
        "keys_refused: a push service does not take what is signed with our VAPID keys " +
        "(the log line push.keys_refused names it), until it takes a message again",
    }),
  queue: stateSchema,
  kafka: stateSchema.meta({
    description:
      "whether events are read; degraded: read, but waiting for Redis; disabled: not configured",
  }),
  outbox: z.boolean().meta({ description: "SMS are shown on the screen instead of sent" }),
});

/** What the rest of the product knows about itself. */
export type HealthReport = Readonly<z.infer<typeof reportSchema>>;

/** Declared here, implemented where the parts are known. It bounds its own waiting (Redis: 500 ms). */
export interface HealthSource {
  read(): Promise<HealthReport>;
}

export interface HealthOptions {
  readonly version: string;
  readonly source: HealthSource;
  /** Whether this process can serve now: Redis, scripts, queues and listener. */
  readonly ready: () => Promise<boolean>;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn">;
}

const healthSchema = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  timestamp: z.iso.datetime(),
  version: z.string(),
  ...reportSchema.shape,
});

/** Without Redis nothing can be accepted; any other weak part still leaves a way to deliver. */
function overallStatus(report: HealthReport): "healthy" | "degraded" | "unhealthy" {
  if (report.redis === "unhealthy") return "unhealthy";
  const parts = [report.redis, report.queue, report.kafka, ...Object.values(report.services)];
  return parts.some((state) => state === "unhealthy" || state === "degraded")
    ? "degraded"
    : "healthy";
}

/** Shown when the state itself cannot be read, so that `/health` always answers. */
const UNREADABLE: HealthReport = {
  total_connections: 0,
  active_users: 0,
  average_duration_seconds: 0,
  replay_sequence: 0,
  redis: "unhealthy",
  services: {
    websocket: "unhealthy",
    push: "unhealthy",
    sms: "unhealthy",
    templates: "unhealthy",
  },
  open_breakers: { push: 0, sms: 0 },
  push_reason: null,
  queue: "unhealthy",
  kafka: "unhealthy",
  outbox: false,
};

/** What `/health` says while nothing can be known: at start, and while Redis is away. */
export function unreadableHealth(version: string, nowMs: number): unknown {
  return { status: "unhealthy", timestamp: new Date(nowMs).toISOString(), version, ...UNREADABLE };
}

/** `/health` is always 200: a restart would not bring Redis back, so no supervisor should react to it. */
export function healthRoutes(options: HealthOptions): Route[] {
  const { version, source, ready, clock, logger } = options;
  const probe = { method: "get", tag: "Operations", rateLimit: "none", problems: [] } as const;

  const read = async (): Promise<HealthReport> => {
    try {
      return await source.read();
    } catch (error) {
      logger.warn({ err: error }, "health.unreadable");
      return UNREADABLE;
    }
  };

  return [
    publicRoute({
      ...probe,
      path: "/health",
      summary: "How each part is doing",
      responses: { 200: { description: "read `status`", schema: healthSchema } },
      async handle() {
        const report = await read();
        const timestamp = new Date(clock.now()).toISOString();
        return {
          status: 200,
          body: { status: overallStatus(report), timestamp, version, ...report },
        };
      },
    }),
    publicRoute({
      ...probe,
      path: "/health/live",
      summary: "Whether the process runs",
      responses: { 200: { description: "it does", schema: z.object({ live: z.literal(true) }) } },
      handle: () => ({ status: 200, body: { live: true } }),
    }),
    publicRoute({
      ...probe,
      path: "/health/ready",
      summary: "Whether this process can take requests now",
      responses: { 200: { description: "it can", schema: z.object({ ready: z.literal(true) }) } },
      problems: ["unavailable"],
      async handle() {
        if (await ready()) return { status: 200, body: { ready: true } };
        throw new Problem("unavailable", "This process is not ready yet, or Redis is away.", {
          retryAfterSeconds: 1,
        });
      },
    }),
  ];
}
