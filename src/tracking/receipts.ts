/** Gathers what recipients' sides say (replayed, acknowledged, shown, taken) and writes it in batches. */
import type { Channel } from "../contract/vocabulary.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { loadLedgerScript, type LedgerScriptDeps } from "./ledger-script.ts";
import { spanOf } from "./shard-batches.ts";

export interface Receipt {
  readonly noteId: string;
  readonly channel: Channel;
  /**
   * `read`: elsewhere than on this channel, which confirms what it delivered and nothing else.
   * `taken`: its provider has it, which says nothing of one whose carrier could not deliver it.
   */
  readonly kind: "delivered" | "confirmed" | "read" | "taken";
}

export interface Receipts {
  /** Takes them in; they are written within `FLUSH_MS`. */
  record(receipts: readonly Receipt[]): void;
  /** Writes what is gathered. Rejects while Redis is away; nothing is dropped then. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_MS = 50;
const CHUNK = 50;
/**
 * While Redis is away, the oldest give way beyond this: a receipt lost is a statistic, not a message.
 * Two thousand users who come back to full histories leave 200,000 at once; those must all fit.
 */
const MAX_GATHERED = 500_000;
/** They give way many at a time, because each time copies those that stay. */
const GIVING_WAY = 50_000;

export function createReceipts(
  options: LedgerScriptDeps & { readonly clock: Clock; readonly logger: Logger },
): Receipts {
  const { keyspace, clock, logger } = options;
  const script = loadLedgerScript(options, "receipts");
  const span = spanOf(options);
  let gathered: Receipt[] = [];
  let cancel: Cancel | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** One call after the other, so that sockets which join in between are not held up by thousands. */
  async function write(receipts: readonly Receipt[]): Promise<void> {
    const known = receipts.filter(({ noteId }) => keyspace.shardOfNote(noteId) !== undefined);
    for (const group of groupsOf(known)) {
      for (let from = 0; from < group.length; from += CHUNK) {
        const chunk = group.slice(from, from + CHUNK);
        const shard = keyspace.shardOfNote(chunk[0]?.noteId ?? "") ?? 0;
        const wire = chunk.map(({ noteId, channel, kind }) => `${noteId} ${channel} ${kind}`);
        await script(shard, wire);
      }
    }
  }

  function groupsOf(receipts: readonly Receipt[]): Iterable<readonly Receipt[]> {
    if (span === "together") return [receipts];
    return Map.groupBy(receipts, ({ noteId }) => keyspace.shardOfNote(noteId)).values();
  }

  async function flush(): Promise<void> {
    cancel?.();
    cancel = undefined;
    const batch = gathered;
    gathered = [];
    // One batch after the other, so that "delivered" is written before "confirmed".
    const turn = writing.then(() => write(batch));
    writing = turn.catch(() => {});
    try {
      await turn;
    } catch (error) {
      // Recording twice changes nothing, so the whole batch is taken back.
      gathered = [...batch, ...gathered].slice(-MAX_GATHERED);
      throw error;
    }
  }

  function schedule(): void {
    cancel ??= clock.after(FLUSH_MS, () => {
      flush().catch((error: unknown) => {
        logger.warn({ err: error }, "receipts not written yet");
        schedule();
      });
    });
  }

  return {
    flush,
    record(receipts) {
      for (const receipt of receipts) gathered.push(receipt);
      if (gathered.length > MAX_GATHERED) gathered = gathered.slice(GIVING_WAY - MAX_GATHERED);
      schedule();
    },
    async close() {
      await flush().catch((error: unknown) => {
        logger.warn({ err: error }, "receipts lost at stop");
      });
    },
  };
}
