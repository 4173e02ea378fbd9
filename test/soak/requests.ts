/** The requests of the load: mostly single notifications, and some of everything else that callers do. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Random } from "../support/random.ts";
import type { Sheet } from "./away-people.ts";
import type { SoakScene } from "./scene.ts";

const TICK_MS = 100;
const SECOND_MS = 1_000;
const BULK_ITEMS = 50;
/** Now and then one person is sent so much at once that a socket which does not read is too slow. */
const BURST_EVERY_MS = 120_000;
const BURST_ITEMS = 400;
const BURST_USERS = 5;
const LONG_BODY = "Please read this carefully. ".repeat(140);
const REQUEST_TIMEOUT_MS = 15_000;
const LATEST_KEPT = 200;

const acceptedSchema = z.object({ notification_id: z.string() });
const bulkSchema = z.object({ accepted: z.number() });

export interface RequestCounts {
  accepted: number;
  /** By status, also of requests that are wrong on purpose. */
  readonly answers: Record<string, number>;
  failed: number;
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface RequestLoad {
  readonly counts: Readonly<RequestCounts>;
  /** Resolves when the last answer is there. */
  stop(): Promise<void>;
}

export async function startRequests(options: {
  readonly scene: SoakScene;
  readonly users: readonly string[];
  readonly away: Sheet;
  /** Notifications a second. */
  readonly rate: number;
  readonly random: Random;
}): Promise<RequestLoad> {
  const { scene, users, away, rate, random } = options;
  const counts: RequestCounts = { accepted: 0, answers: {}, failed: 0 };
  const scopes = ["notify:send", "notify:send:critical", "analytics:read", "admin"];
  const token = await scene.signer.sign({ userId: "service-soak", scopes, ttlSeconds: 86_400 });
  const latest: string[] = [];
  const underWay = new Set<Promise<void>>();

  async function call({ method = "POST", path, headers, body, ...rest }: Call): Promise<void> {
    try {
      const answer = await fetch(`${scene.apiUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${rest.token ?? token}`,
          "content-type": "application/json",
          ...headers,
        },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined
          ? {}
          : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      counts.answers[answer.status] = (counts.answers[answer.status] ?? 0) + 1;
      const text = await answer.text();
      if (path === "/notify" && answer.ok)
        take(acceptedSchema.parse(JSON.parse(text)).notification_id);
      if (path === "/notify/bulk" && answer.ok) {
        counts.accepted += bulkSchema.parse(JSON.parse(text)).accepted;
      }
    } catch {
      counts.failed += 1;
    }
  }

  function take(id: string): void {
    counts.accepted += 1;
    latest.push(id);
    if (latest.length > LATEST_KEPT) latest.shift();
  }

  const announcement = (userId: string, more: object = {}) => ({
    user_id: userId,
    template_id: "announcement",
    data: { title: "Room change", body: "Mathematics 7B meets in room 214 today." },
    ...more,
  });
  const single = (body: object, headers: Readonly<Record<string, string>> = {}): Promise<void> =>
    call({ path: "/notify", body, headers });
  const inAMinute = (): string =>
    new Date(Date.now() + random.between(2, 60) * SECOND_MS).toISOString();

  const wrongs: readonly (() => Call)[] = [
    () => ({ path: "/notify", body: "{" }),
    () => ({ path: "/notify", body: { user_id: "a b", template_id: `none-${randomUUID()}` } }),
    () => ({ path: "/notify", body: announcement("teacher-1"), token: `no.${randomUUID()}.token` }),
    () => ({ path: `/${randomUUID()}`, method: "GET" }),
    () => ({ path: `/notifications/${randomUUID()}`, method: "GET" }),
    () => ({ path: "/notify", method: random.pick(["PATCH", "PUT"]) }),
  ];
  const reads: readonly (() => Call)[] = [
    () => ({ path: `/notifications/${latest.at(-1) ?? "none"}`, method: "GET" }),
    () => ({ path: "/analytics", method: "GET" }),
    () => ({ path: "/audit?limit=50", method: "GET" }),
    () => ({ path: "/admin/dead-letters", method: "GET" }),
    () => ({ path: "/health", method: "GET" }),
  ];

  /** What is sent, how often, and how many notifications it makes. */
  const kinds: readonly { share: number; makes: number; send: () => Promise<void> }[] = [
    { share: 0.66, makes: 1, send: () => single(announcement(random.pick(users))) },
    {
      share: 0.04,
      makes: 1,
      send: () => single(announcement(random.pick(users)), { "idempotency-key": randomUUID() }),
    },
    { share: 0.12, makes: 1, send: () => single(announcement(away.subscriber())) },
    { share: 0.02, makes: 1, send: () => single(announcement(away.texted(), away.critical())) },
    {
      share: 0.02,
      makes: 1,
      send: () => single(announcement(random.pick(users), { send_at: inAMinute() })),
    },
    {
      share: 0.02,
      makes: 1,
      send: () => single(announcement(random.pick(users)), { prefer: "wait=2" }),
    },
    { share: 0.004, makes: BULK_ITEMS, send: bulk },
    { share: 0.05, makes: 0, send: () => call(random.pick(wrongs)()) },
    { share: 0.05, makes: 0, send: () => call(random.pick(reads)()) },
    { share: 0.01, makes: 0, send: cancelOne },
    { share: 0.01, makes: 0, send: () => away.renewOne() },
  ];
  const each = kinds.reduce((sum, { share, makes }) => sum + share * makes, 0);
  const whole = kinds.reduce((sum, { share }) => sum + share, 0);

  async function bulk(): Promise<void> {
    const notifications = Array.from({ length: BULK_ITEMS }, () =>
      announcement(random.pick(users)),
    );
    await call({ path: "/notify/bulk", body: { notifications } });
  }

  async function cancelOne(): Promise<void> {
    await single(announcement(random.pick(users), { send_at: inAMinute() }));
    await call({ path: `/notifications/${latest.at(-1) ?? "none"}`, method: "DELETE" });
  }

  async function burst(): Promise<void> {
    // Of a few only: their histories of long messages are soon full.
    const user = random.pick(users.slice(0, BURST_USERS));
    const data = { title: "All at once", body: LONG_BODY };
    const notifications = Array.from({ length: BURST_ITEMS }, () => announcement(user, { data }));
    await call({ path: "/notify/bulk", body: { notifications } });
  }

  function begin(work: Promise<void>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  function one(): void {
    let reached = 0;
    const drawn = random.next() * whole;
    begin((kinds.find(({ share }) => (reached += share) > drawn) ?? kinds[0])?.send() ?? bulk());
  }

  const perMs = ((rate / each) * whole) / SECOND_MS;
  const startMs = performance.now();
  let begun = 0;
  // By the clock, not by ticks: those come late on a busy machine.
  const ticking = setInterval(() => {
    const due = (performance.now() - startMs) * perMs;
    for (; begun < due; begun += 1) one();
  }, TICK_MS);
  const bursts = setInterval(() => begin(burst()), BURST_EVERY_MS);

  return {
    counts,
    async stop() {
      clearInterval(ticking);
      clearInterval(bursts);
      while (underWay.size > 0) await Promise.race([...underWay, delay(SECOND_MS)]);
    },
  };
}
