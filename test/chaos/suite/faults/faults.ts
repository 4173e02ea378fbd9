/** Every fault of the suite by its name. */
import type { StoreKind } from "../store.ts";
import type { Fault } from "./fault.ts";
import { allLinks, blackhole, cut, linkOf, muteReplies, slowRedis } from "./network-faults.ts";
import {
  brokerRestart,
  clockStep,
  pushWeather,
  repeatedRecords,
  RETRY_AFTER_SECONDS,
  smsWeather,
  stranger,
  unreadSockets,
  vanishedSockets,
} from "./outside-faults.ts";
import { freezeOf, killAll, killOf, rollingRestart } from "./process-faults.ts";
import {
  masterLost,
  plannedFailover,
  redisFrozen,
  redisFull,
  redisKill,
  redisRollback,
  redisStalls,
} from "./redis-faults.ts";

export const FAULTS = {
  "kill-api": killOf("api", "websocket"),
  "kill-gateway": killOf("gateway", "websocket"),
  "kill-worker": killOf("worker", "websocket"),
  "kill-ingest": killOf("ingest", "kafka"),
  "kill-projector": killOf("projector", "kafka"),
  "kill-all": killAll,
  "rolling-restart": rollingRestart,
  "freeze-api": freezeOf("api", "websocket"),
  "freeze-gateway": freezeOf("gateway", "websocket"),
  "freeze-worker": freezeOf("worker", "websocket"),
  "freeze-ingest": freezeOf("ingest", "kafka"),
  "freeze-projector": freezeOf("projector", "kafka"),
  "redis-kill": redisKill,
  "redis-rollback": redisRollback,
  "redis-frozen": redisFrozen,
  "redis-full": redisFull,
  "redis-cut": allLinks(cut),
  "redis-slow": slowRedis,
  "redis-stalls": redisStalls,
  "cluster-failover": plannedFailover,
  "cluster-master-killed": masterLost("killMaster"),
  "cluster-master-frozen": masterLost("freezeMaster"),
  "gateway-cut": linkOf("gateway", cut),
  "gateway-blackhole": linkOf("gateway", blackhole),
  "worker-unheard": linkOf("worker", muteReplies),
  "api-unheard": linkOf("api", muteReplies),
  "kafka-restart": brokerRestart("stop"),
  "kafka-kill": brokerRestart("kill"),
  "kafka-rebalance": stranger("visits"),
  "kafka-member-dies": stranger("dies"),
  "kafka-repeats": repeatedRecords,
  "push-busy": pushWeather({ kind: "busy", retryAfterSeconds: RETRY_AFTER_SECONDS, as: "seconds" }),
  "push-busy-date": pushWeather({
    kind: "busy",
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    as: "date",
  }),
  "push-failing": pushWeather({ kind: "failing" }),
  "push-hanging": pushWeather({ kind: "hanging" }),
  "push-resetting": pushWeather({ kind: "resetting" }),
  "push-cutting": pushWeather({ kind: "cutting" }),
  "sms-accepting-then-hanging": smsWeather({ kind: "hanging" }),
  "sms-accepting-then-resetting": smsWeather({ kind: "losing" }),
  "sms-failing": smsWeather({ kind: "failing" }),
  "sms-busy": smsWeather({ kind: "busy", retryAfterSeconds: RETRY_AFTER_SECONDS, as: "seconds" }),
  "clients-stop-reading": unreadSockets,
  "clients-vanish": vanishedSockets,
  "clock-step-process": clockStep("process"),
  "clock-step-redis": clockStep("redis"),
} satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

/** Whether it means something where data are kept so. */
export function isPossible(name: FaultName, store: StoreKind): boolean {
  const { needs = store }: Fault = FAULTS[name];
  return needs === store;
}

export const isFaultName = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);
// The table's own keys; Object.keys has no type for them.
export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS).filter(isFaultName);
