/** What is asked of the product in the course of a run: which message to whom, by which way, when. */
import type { Person, PersonKind } from "../people.ts";
import type { Random } from "../../../support/random.ts";

export type Way = "rest" | "bulk" | "kafka" | "domain";

/** One notification to be asked for. */
export interface Errand {
  readonly key: string;
  readonly by: Way;
  readonly userId: string;
  /** Its own: no other notification uses it. */
  readonly phoneNumber: string | undefined;
  readonly critical: boolean;
  readonly priority: "low" | "standard" | "high" | "critical";
  /** After the start of the load, ms. */
  readonly atMs: number;
  /** Asked for a second time, as callers and producers do that cannot be sure. */
  readonly twice: boolean;
  /** Not to be sent before this time after it was asked for, ms. */
  readonly delayMs: number | undefined;
  /** To be cancelled before that. */
  readonly cancel: boolean;
}

const SHARES: readonly (readonly [Way, number])[] = [
  ["rest", 0.5],
  ["bulk", 0.2],
  ["kafka", 0.25],
  ["domain", 0.05],
];
const KIND_SHARES: readonly (readonly [PersonKind, number])[] = [
  ["reader", 0.6],
  ["wanderer", 0.1],
  ["away", 0.18],
  ["phone", 0.12],
];
/** Of what goes to readers. */
const BUSY_SHARE = 0.5;
const TWICE_SHARE = 0.1;
const SCHEDULED_SHARE = 0.06;
const CANCELLED_SHARE = 0.5;
const CRITICAL_SHARE = 0.15;
const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 8_000;
/** Swedish mobile numbers, whose length is all that is checked. */
const PHONE_PREFIX = "+4670";
const FIRST_PHONE_NUMBER = 1_000_000;

export interface LoadShape {
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly durationMs: number;
}

/** @returns errands in the order of their times */
export function planErrands(
  { seed, ratePerSecond, durationMs }: LoadShape,
  people: readonly Person[],
  random: Random,
): readonly Errand[] {
  const groups = Map.groupBy(people, ({ kind }) => kind);
  const busy = people.filter(({ isBusy }) => isBusy);
  const run = (seed >>> 0).toString(16).padStart(8, "0");
  const count = Math.round((ratePerSecond * durationMs) / 1_000);

  const recipient = (): Person => {
    const kind = draw(KIND_SHARES, random);
    const some = kind === "reader" && random.chance(BUSY_SHARE) ? busy : (groups.get(kind) ?? []);
    const [first = people[0], ...others] = some;
    if (first === undefined) throw new Error("there is nobody to write to");
    return random.pick([first, ...others]);
  };

  return Array.from({ length: count }, (_, index) => {
    const person = recipient();
    const by = draw(SHARES, random);
    const critical = by !== "domain" && (person.kind === "phone" || random.chance(CRITICAL_SHARE));
    const scheduled = by === "rest" && random.chance(SCHEDULED_SHARE);
    return {
      key: `k-${run}-${index}`,
      by,
      userId: person.userId,
      phoneNumber: critical ? `${PHONE_PREFIX}${FIRST_PHONE_NUMBER + index}` : undefined,
      critical,
      priority: critical ? "critical" : random.pick(["standard", "standard", "low", "high"]),
      atMs: Math.round((index / count) * durationMs),
      twice: random.chance(TWICE_SHARE),
      delayMs: scheduled ? random.whole(MIN_DELAY_MS, MAX_DELAY_MS) : undefined,
      cancel: scheduled && random.chance(CANCELLED_SHARE),
    };
  });
}

function draw<T>(shares: readonly (readonly [T, number])[], random: Random): T {
  let left = random.next();
  for (const [item, share] of shares) {
    left -= share;
    if (left < 0) return item;
  }
  const [[first] = []] = shares;
  if (first === undefined) throw new Error("nothing to draw from");
  return first;
}

/** Body of `POST /notify`, and value of the general topic. */
export function requestOf(errand: Errand, now: number): Readonly<Record<string, unknown>> {
  const { key, userId, critical, priority, phoneNumber, delayMs, by } = errand;
  return {
    user_id: userId,
    template_id: "announcement",
    priority,
    correlation_id: key,
    data: { title: `${key} snow day`, body: `School is closed today. ${"Stay warm. ".repeat(8)}` },
    ...(critical ? { channels: ["websocket", "push", "sms"], phone_number: phoneNumber } : {}),
    ...(delayMs === undefined ? {} : { send_at: new Date(now + delayMs).toISOString() }),
    ...(by === "kafka" ? { event_id: key } : {}),
  };
}

/** An event of Class Management, which a projector makes a teacher's notification of. */
export function domainEventOf(errand: Errand, now: number): Readonly<Record<string, unknown>> {
  const at = new Date(now).toISOString();
  return {
    event_id: errand.key,
    event_type: "huleedu.student.created.v1",
    event_timestamp: at,
    source_service: "class_management",
    correlation_id: errand.key,
    data: { user_id: errand.userId, student_id: `student-of-${errand.key}`, timestamp: at },
  };
}
