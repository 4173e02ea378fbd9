/** The figures of the Kafka scenario as tables that fit a terminal. */
import type { KafkaCourse } from "./kafka-run.ts";
import type { Drain } from "./kafka-scenario.ts";
import { align } from "./report.ts";

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const us = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(0));
const percent = (share: number): string => `${(share * 100).toFixed(0)}%`;
const ratio = (value: number, by: number): string => (by > 0 ? `${(value / by).toFixed(2)}x` : "-");

export function kafkaReportOf(courses: readonly KafkaCourse[]): string {
  return [
    "Events that lay on the topic, until each is in the ledger (baseline: read and parsed):",
    "",
    ...drainTable(courses.map(({ target, ingest }) => ({ target, drain: ingest }))),
    "",
    "A heap of events, until each is on its user's socket:",
    "",
    ...drainTable(courses.map(({ target, socket }) => ({ target, drain: socket.drain }))),
    "",
    "A steady stream, from when an event was due to its frame on the socket:",
    "",
    ...steadyTable(courses),
    "",
    ...courses.map(verdictLine),
  ].join("\n");
}

function drainTable(rows: readonly { readonly target: string; readonly drain: Drain }[]): string[] {
  const drains = new Map(rows.map(({ target, drain }) => [target, drain]));
  const [baseline, product] = [drains.get("baseline"), drains.get("product")];
  return align([
    ["", "events", "seconds", "events", "server", "redis", "others"],
    ["", "", "", "/s", "us each", "us each", ""],
    ...rows.map(({ target, drain }) => [
      target,
      String(drain.records),
      drain.seconds.toFixed(2),
      drain.perSecond.toFixed(0),
      us(drain.serverUs),
      us(drain.redisUs),
      percent(drain.othersShare),
    ]),
    ...(baseline === undefined || product === undefined
      ? []
      : [
          [
            "ratio",
            "",
            "",
            ratio(product.perSecond, baseline.perSecond),
            ratio(product.serverUs, baseline.serverUs),
          ],
        ]),
  ]);
}

function steadyTable(courses: readonly KafkaCourse[]): string[] {
  const times = ["p50", "p95", "p99", "max"] as const;
  const find = (name: string) => courses.find(({ target }) => target === name)?.socket;
  const [baseline, product] = [find("baseline"), find("product")];
  return align([
    ["", "rate /s", ...times.map((name) => `${name} ms`)],
    ...courses.map(({ target, socket }) => [
      target,
      String(socket.rate),
      ...times.map((name) => ms(socket.arrival[name])),
    ]),
    ...(baseline === undefined || product === undefined
      ? []
      : [
          [
            "ratio",
            "",
            ...times.map((name) => ratio(product.arrival[name], baseline.arrival[name])),
          ],
        ]),
  ]);
}

function verdictLine({ target, socket }: KafkaCourse): string {
  const { accepted, arrived, lost, doubled, strayed, outOfOrder, overtaken } = socket.judgement;
  return (
    `${target}: ${accepted} events, ${arrived} arrived; ${lost} lost, ${doubled} doubled, ` +
    `${strayed} strayed, ${outOfOrder} out of order, ${overtaken} overtaken, ` +
    `${socket.dropped} sockets dropped`
  );
}
