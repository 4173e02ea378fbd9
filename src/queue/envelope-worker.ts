/** Works a queue whose jobs are envelopes, several at once. */
import { createJobWorker, runInBackground, type JobWorkerOptions } from "./bullmq-worker.ts";
import { ENVELOPE_SIZE, parseEnvelope, type EnvelopeItem } from "./envelope.ts";
import type { QueueWorker } from "./stage-workers.ts";
import { DEATHS_ALONE, DEATHS_TOGETHER, type WorkSuspects } from "./suspects.ts";

export interface EnvelopeWorkerOptions extends JobWorkerOptions {
  readonly process: (items: readonly EnvelopeItem[]) => Promise<void>;
  readonly workSuspects: WorkSuspects;
}

/** More than even an envelope full of poison needs: after that the due index has its notes. */
const MAX_STALLS = DEATHS_TOGETHER + DEATHS_ALONE * Math.max(...Object.values(ENVELOPE_SIZE));

export function createEnvelopeWorker(options: EnvelopeWorkerOptions): QueueWorker {
  const worker = createJobWorker({ ...options, maxStalls: MAX_STALLS }, async (job) => {
    const isSuspect = job.stalledCounter >= DEATHS_TOGETHER;
    await (isSuspect ? options.workSuspects : options.process)(parseEnvelope(job.data));
  });
  return {
    start: async () => runInBackground(worker, options),
    close: () => worker.close(),
  };
}
