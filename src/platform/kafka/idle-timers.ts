/**
 * Mends the timer of kafkajs 2.2.4 that runs all the time. Each of its connections looks for
 * throttled requests after a delay that is negative while nothing is throttled; Node makes that
 * 1 ms and warns. So every idle connection wakes the process a thousand times a second.
 * @see https://github.com/tulios/kafkajs/issues/1704
 */
import { createRequire } from "node:module";

/** The fields of the client's queue of requests that its timer deals with. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

/** The client's own pause between two looks, where requests wait and nothing is throttled. */
const CHECK_INTERVAL_MS = 10;

/** Before the first connection; a second call changes nothing. */
export function stopIdleTimers(): void {
  const { prototype } = requestQueueClass();
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : CHECK_INTERVAL_MS,
    );
  };
}

function requestQueueClass(): { prototype: { scheduleCheckPendingRequests: () => void } } {
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/network/requestQueue");
  if (
    typeof loaded !== "function" ||
    typeof loaded.prototype?.scheduleCheckPendingRequests !== "function"
  ) {
    throw new Error("kafkajs has changed inside: see whether its idle timer still needs mending");
  }
  return loaded;
}
