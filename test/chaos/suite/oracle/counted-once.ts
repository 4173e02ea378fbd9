/**
 * `GET /analytics` is what the notes themselves add up to, figure by figure. How each follows from
 * notes and their timelines:
 *   websocket.sent    it has a place in a history, which is given once
 *   websocket.offline it met no socket, and no replay or acknowledgement has said otherwise since
 *   push.sent, sms.sent    it was about to be sent at least once, however often
 *   delivered, failed, confirmed    what the channel is now; `unknown` counts as failed
 *   late              it was reached, and had not been when it settled
 *   response times    of those reached when they settled: from acceptance, or the time they were
 *                     scheduled for, to settling; percentiles are upper bounds of the buckets
 * Nothing is excused: a Redis that is taken back loses notes and their counts together.
 */
import { CHANNELS, STATUSES } from "../../../../src/contract/vocabulary.ts";
import { BUCKET_BOUNDS_MS } from "../../../../src/tracking/latency-buckets.ts";
import type { Finding, StatedNote, Statement } from "../evidence.ts";
import type { CaseFile } from "./case-file.ts";
import { startTally } from "./tally.ts";
import { isLate, isTerminal, settling, wasReachedInTime, wasTaken } from "./timeline.ts";

export function countedOnce(file: CaseFile): Finding {
  const tally = startTally("counted once");
  const expected = recount(file.statement.notes);
  const reported = flatten(file.statement.analytics);
  for (const name of new Set([...expected.keys(), ...reported.keys()])) {
    const [wanted, found] = [expected.get(name) ?? 0, reported.get(name) ?? 0];
    tally.expect(wanted === found, () => `${name} is ${found}; the notes say ${wanted}`);
  }
  return tally.finding();
}

type Figures = ReadonlyMap<string, number>;

function flatten(report: Statement["analytics"]): Figures {
  const { total_notifications: total, statuses, late, notification_types: types } = report;
  return new Map([
    ["total", total],
    ["late", late],
    ...STATUSES.map((status) => [`status ${status}`, statuses[status]] as const),
    ...Object.entries(types).map(([type, count]) => [`type ${type}`, count] as const),
    ...CHANNELS.flatMap((channel) =>
      Object.entries(report.delivery_stats[channel]).map(
        ([name, count]) => [`${channel} ${name}`, count] as const,
      ),
    ),
    ...Object.entries(report.response_times),
  ]);
}

function recount(notes: readonly StatedNote[]): Figures {
  const figures = new Map<string, number>();
  const add = (name: string, amount: number): void => {
    figures.set(name, (figures.get(name) ?? 0) + amount);
  };
  for (const note of notes) {
    add("total", 1);
    add("websocket offline", note.channel_details.websocket.reason === "offline" ? 1 : 0);
    add(`type ${note.notificationType}`, 1);
    add("late", isLate(note) ? 1 : 0);
    if (isTerminal(note.status)) add(`status ${note.status}`, 1);
    for (const channel of CHANNELS) {
      const { confirmed_at: confirmedAt } = note.channel_details[channel];
      const sent = channel === "websocket" ? note.replay_id !== null : wasTaken(note, channel);
      add(`${channel} sent`, sent ? 1 : 0);
      add(`${channel} delivered`, note.channels[channel] === "delivered" ? 1 : 0);
      add(`${channel} failed`, note.channels[channel] === "failed" ? 1 : 0);
      add(`${channel} confirmed`, confirmedAt === undefined ? 0 : 1);
    }
  }
  for (const channel of CHANNELS) {
    const sent = figures.get(`${channel} sent`) ?? 0;
    const share = (figures.get(`${channel} delivered`) ?? 0) / Math.max(1, sent);
    figures.set(`${channel} success_rate`, sent === 0 ? 0 : Math.round(share * 100) / 100);
  }
  return new Map([...figures, ...responseTimes(notes.flatMap(latencyOf))]);
}

function latencyOf(note: StatedNote): number[] {
  const settled = settling(note);
  if (settled === undefined || note.status !== "delivered" || !wasReachedInTime(note)) return [];
  const from = Math.max(Date.parse(note.timestamp), note.sendAt ?? 0);
  return [Math.max(0, Date.parse(settled.at) - from)];
}

function responseTimes(latencies: readonly number[]): [string, number][] {
  const sum = latencies.reduce((total, latency) => total + latency, 0);
  const last = BUCKET_BOUNDS_MS.at(-1) ?? 0;
  const bounds = latencies
    .map((latency) => BUCKET_BOUNDS_MS.find((bound) => latency <= bound) ?? last)
    .toSorted((one, other) => one - other);
  const within = (share: number): number => bounds[Math.ceil(bounds.length * share) - 1] ?? 0;
  return [
    ["average_ms", latencies.length === 0 ? 0 : Math.round(sum / latencies.length)],
    ["p95_ms", within(0.95)],
    ["p99_ms", within(0.99)],
  ];
}
