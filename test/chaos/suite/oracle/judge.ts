/** Holds a run to each of its promises. Pure: the same evidence always gives the same findings. */
import type { Evidence, Finding, PromiseName } from "../evidence.ts";
import { acceptedOnce } from "./accepted-once.ts";
import { auditedOnce } from "./audited-once.ts";
import { openCaseFile } from "./case-file.ts";
import { confirmedByAcks } from "./confirmed-by-acks.ts";
import { countedOnce } from "./counted-once.ts";
import { nothingMissed } from "./nothing-missed.ts";
import { providersAgree } from "./providers-agree.ts";
import { settled } from "./settled.ts";
import { shownInOrder } from "./shown-in-order.ts";
import { shownOnce } from "./shown-once.ts";
import { textedOnce } from "./texted-once.ts";
import { toldToKafka } from "./told-to-kafka.ts";

/** @returns one finding for each promise, in the order of `PROMISES` */
export function judge(evidence: Evidence): Finding[] {
  const file = openCaseFile(evidence);
  return [
    acceptedOnce(file),
    settled(file),
    shownInOrder(file),
    nothingMissed(file),
    shownOnce(file),
    textedOnce(file),
    providersAgree(file),
    countedOnce(file),
    auditedOnce(file),
    confirmedByAcks(file),
    toldToKafka(file),
  ];
}

/** Promises that nothing was held to: a run that says nothing about them, whatever it found. */
export function untried(findings: readonly Finding[]): readonly PromiseName[] {
  return findings.filter(({ checked }) => checked === 0).map(({ promise }) => promise);
}
