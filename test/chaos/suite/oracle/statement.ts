/** What the product says of itself when it has nothing more to do: its ledger, its figures, its trail. */
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
  { apiUrl, token }: StatementOptions,
  notes: readonly StatedNote[],
): Promise<AnalyticsReport> {
  const days = notes.map(({ timestamp }) => timestamp.slice(0, 10)).toSorted();
  const [today] = new Date().toISOString().split("T");
  const url = new URL("/analytics", await apiUrl());
  url.searchParams.set("start_date", days.at(0) ?? today ?? "");
  url.searchParams.set("end_date", days.at(-1) ?? today ?? "");
  const response = await fetch(url, { headers: { authorization: `Bearer ${await token()}` } });
  if (!response.ok) throw new Error(`GET /analytics: ${response.status} ${await response.text()}`);
  return analyticsSchema.parse(await response.json());
}
