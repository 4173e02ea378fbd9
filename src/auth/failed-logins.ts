/** Slows down whoever keeps presenting tokens that do not verify, and tells the operators. */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";

export interface FailedLoginsOptions {
  /** False while rate limits are off: failures are counted, nobody is held back. */
  readonly enabled: boolean;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "warn">;
  /** Called for every failure, for the counter. */
  readonly onFailure?: () => void;
  /** Called once when an address goes over the limit, for the audit trail. */
  readonly onAlert?: (ip: string) => void;
}

export interface FailedLogins {
  /** A token from this address did not verify. */
  record(ip: string): void;
  /** Whole seconds until failures from this address are explained again; 0 when it is not held back. */
  blockedForSeconds(ip: string): number;
}

const MAX_FAILURES = 10;
const WINDOW_MS = 5 * 60_000;
/** Addresses remembered per process; the one quiet for longest is forgotten first. */
const MAX_ADDRESSES = 10_000;

export function createFailedLogins(options: FailedLoginsOptions): FailedLogins {
  const { enabled, clock, logger, onFailure, onAlert } = options;
  /** Times of the latest failures by address, oldest first. */
  const failures = new Map<string, number[]>();

  const recent = (ip: string): number[] => {
    const since = clock.now() - WINDOW_MS;
    return (failures.get(ip) ?? []).filter((at) => at > since);
  };

  return {
    record(ip) {
      onFailure?.();
      if (!enabled) return;
      const times = recent(ip);
      times.push(clock.now());
      if (times.length === MAX_FAILURES) {
        logger.warn({ ip, failures: MAX_FAILURES }, "security.alert.failed_logins");
        onAlert?.(ip);
      }
      failures.delete(ip);
      // One more than the limit is not kept: going on does not lengthen the list.
      failures.set(ip, times.slice(-MAX_FAILURES));
      if (failures.size <= MAX_ADDRESSES) return;
      const oldest = failures.keys().next();
      if (oldest.done !== true) failures.delete(oldest.value);
    },

    blockedForSeconds(ip) {
      const times = enabled ? recent(ip) : [];
      const [oldest] = times;
      if (oldest === undefined || times.length < MAX_FAILURES) return 0;
      return Math.max(1, Math.ceil((oldest + WINDOW_MS - clock.now()) / 1_000));
    },
  };
}
