/** Writes to the ledger that an SMS did not arrive, of a note that had settled. */
import { formatAuditLine } from "./audit.ts";
import { OWN_FORMATS } from "./ledger-format.ts";
import { loadLedgerScript, type LedgerScriptDeps } from "./ledger-script.ts";
import { wireChange } from "./ledger-wire.ts";
import type { NoteChange } from "./ledger-changes.ts";
import { shardOf } from "./note-reader.ts";

/**
 * Applies the change if the note is still what it was decided on; false if not.
 * @param request the note's own, sealed; undefined where it is not kept any more
 */
export type Reopen = (change: NoteChange, request: string | undefined) => Promise<boolean>;

export function createReopening(deps: LedgerScriptDeps): Reopen {
  const { keyspace, clock, formats = OWN_FORMATS } = deps;
  const script = loadLedgerScript(deps, "reopen");
  return async (change, request) => {
    const { note, stage } = change;
    const now = clock.now();
    const wire = wireChange(change, { now, pendingSeconds: 0, mark: formats.mark() });
    const line = formatAuditLine(now, "reopened", "queued", note, stage ?? "");
    return (await script(shardOf(keyspace, note.id), [...wire, request ?? "", line])) === 1;
  };
}
