/** What the product says of itself when it has nothing more to do: its ledger, its figures, its trail. */
import { setTimeout as delay } from "node:timers/promises";
import { analyticsSchema, type AnalyticsReport } from "../../../../src/tracking/analytics.ts";
import type { Statement, StatedNote } from "../evidence.ts";
import {
  readAudit,
  readNotes,
  readPositions,
  readUnsettled,
  type LedgerStore,
} from "./ledger-reader.ts";
import { readOutcomes } from "./outcome-reader.ts";

export interface StatementOptions extends LedgerStore {
  /** Where the API answers at the moment. */
  readonly apiUrl: () => string | Promise<string>;
  /** Of somebody who may read analytics. */
  readonly token: () => string | Promise<string>;
  readonly servers: string;
  readonly topicPrefix: string;
  /** Whose histories are asked for. */
  readonly people: readonly string[];
}

/** A receipt may come late, and then the parts would not fit together: they are read again. */
const READINGS = 10;
const UNAVAILABLE = 503;
/** Whoever is told to ask again does so, for so long. */
const ASK_FOR_MS = 60_000;
const RETRY_MS = 500;

/** @throws Error if the product does not come to rest, or does not answer */
export async function collectStatement(options: StatementOptions): Promise<Statement> {
  let before = await readNotes(options);
  for (let reading = 1; reading <= READINGS; reading += 1) {
    const statement: Statement = {
      notes: before.notes,
      analytics: await readAnalytics(options, before.notes),
      audit: await readAudit(options),
      outcomes: await readOutcomes(options.servers, options.topicPrefix),
      unsettled: await readUnsettled(options),
      positions: await readPositions(options, options.people),
    };
    const after = await readNotes(options);
    if (after.fingerprint === before.fingerprint) return statement;
    before = after;
  }
  throw new Error("notes still change: no statement can be taken");
}

/** Over all days that notes were accepted on, by the clocks that accepted them. */
async function readAnalytics(
  options: StatementOptions,
  notes: readonly StatedNote[],
): Promise<AnalyticsReport> {
  const today = new Date().toISOString().slice(0, 10);
  const days = notes.map(({ timestamp }) => timestamp.slice(0, 10)).toSorted();
  const query = new URLSearchParams({
    start_date: days.at(0) ?? today,
    end_date: days.at(-1) ?? today,
  });
  const endsAt = performance.now() + ASK_FOR_MS;
  for (;;) {
    const { status, text } = await ask(options, `/analytics?${query.toString()}`);
    if (status === 200) return analyticsSchema.parse(JSON.parse(text));
    if (status !== UNAVAILABLE || performance.now() > endsAt) {
      throw new Error(`GET /analytics: ${status} ${text}`);
    }
    await delay(RETRY_MS);
  }
}

/** No answer at all is as good as a 503. */
async function ask({ apiUrl, token }: StatementOptions, path: string) {
  try {
    const headers = { authorization: `Bearer ${await token()}` };
    const response = await fetch(new URL(path, await apiUrl()), { headers });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: UNAVAILABLE, text: String(error) };
  }
}
