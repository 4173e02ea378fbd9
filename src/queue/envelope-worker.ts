/** Works a queue whose jobs are envelopes, several at once. */
import { createJobWorker, runInBackground, type JobWorkerOptions } from "./bullmq-worker.ts";
import { parseEnvelope, type EnvelopeItem } from "./envelope.ts";
import type { QueueWorker } from "./stage-workers.ts";

export interface EnvelopeWorkerOptions extends JobWorkerOptions {
  readonly process: (items: readonly EnvelopeItem[]) => Promise<void>;
}

export function createEnvelopeWorker(options: EnvelopeWorkerOptions): QueueWorker {
  const worker = createJobWorker(options, async (job) => {
    await options.process(parseEnvelope(job.data));
  });
  return {
    start: async () => runInBackground(worker, options),
    close: () => worker.close(),
  };
}
