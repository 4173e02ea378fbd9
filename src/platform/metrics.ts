/** Every metric of the platform in one place, on a registry of its own. Names start with `schoolbell_`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface MetricsOptions {
  /** Also report the process: memory, event loop lag, garbage collection. */
  readonly processMetrics?: boolean;
}

/** From a frame written to an open tab (a few milliseconds) to an SMS after a long backoff. */
const LATENCY_BUCKETS_MS = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
];

/**
 * Creates the counters, gauges and histograms. Label values come from closed lists or route
 * patterns, never from what callers send, so that the number of series stays bounded.
 */
export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });

  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter<Label>({ name: `schoolbell_${name}`, help, labelNames, registers });
  const gauge = <Label extends string = never>(
    name: string,
    help: string,
    labelNames: Label[] = [],
  ) => new Gauge<Label>({ name: `schoolbell_${name}`, help, labelNames, registers });

  return {
    httpRequests: counter("http_requests_total", "HTTP requests answered", [
      "method",
      "route",
      "status",
    ]),
    rejectedRequests: counter("rejected_requests_total", "Requests answered with a problem", [
      "code",
    ]),
    authFailures: counter("auth_failures_total", "Tokens that did not verify", []),
    notificationsAccepted: counter("notifications_accepted_total", "Notifications accepted", [
      "family",
      "priority",
    ]),
    notificationsSettled: counter("notifications_settled_total", "Notifications settled", [
      "status",
    ]),
    deliveryAttempts: counter("delivery_attempts_total", "Tries of one channel", [
      "channel",
      "outcome",
    ]),
    deliveryLatency: new Histogram({
      name: "schoolbell_delivery_latency_ms",
      help: "Milliseconds from acceptance to delivery",
      labelNames: ["channel"],
      buckets: LATENCY_BUCKETS_MS,
      registers,
    }),
    queueEnvelopes: counter("queue_envelopes_total", "Envelopes, or pushes to an ordered list", [
      "stage",
      "lane",
    ]),
    breakerState: gauge(
      "breaker_state",
      "Circuit breaker of a provider: 0 closed, 1 probing, 2 open (not asked for a while)",
      ["channel", "origin"],
    ),
    pushKeysRefused: counter(
      "push_keys_refused_total",
      "Pushes that a push service refused for our VAPID keys",
      ["origin"],
    ),
    dueOverdue: gauge("due_overdue", "Notes whose time has passed and that nobody has leased"),
    gatewayConnections: gauge("gateway_connections", "Open WebSockets of this process"),
    gatewayCloses: counter("gateway_closes_total", "WebSockets closed by this process", ["code"]),
    events: counter("events_total", "Events read from Kafka or the Redis bridge", [
      "role",
      "outcome",
      "reason",
    ]),
    ownershipMismatches: counter(
      "ownership_mismatches_total",
      "Events that named a user who does not own what they are about",
      ["type"],
    ),
    consumerLag: gauge("kafka_consumer_lag", "Records of a topic that a group has yet to read", [
      "group",
      "topic",
    ]),
    outcomeBacklog: gauge("outcome_backlog", "Steps of notes that Kafka is yet to be told of"),
    leftAlone: counter(
      "left_alone_total",
      "Times that something was left to another version, which can read it or put it into words",
      ["what"],
    ),
    redisRewinds: counter("redis_rewinds_total", "Times that Redis came back with older data", []),
    frames: counter("frames_total", "WebSocket frames", ["direction"]),

    /** The text a Prometheus server scrapes, and its content type. */
    async render(): Promise<{ type: string; text: string }> {
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
