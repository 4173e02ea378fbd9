/** `GET /metrics`: what a Prometheus server scrapes. */
import type { Metrics } from "../platform/metrics.ts";
import { publicRoute, type Route } from "./route.ts";

export function metricsRoute(metrics: Pick<Metrics, "render">): Route {
  return publicRoute({
    method: "get",
    path: "/metrics",
    summary: "Metrics for Prometheus",
    tag: "Operations",
    rateLimit: "none",
    responses: { 200: { description: "the Prometheus text format" } },
    problems: [],
    async handle() {
      const { type, text } = await metrics.render();
      return { status: 200, body: text, type };
    },
  });
}
