/** A service that notifies over HTTP: it asks again, under the same key, until it is answered. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { AskedBook } from "./asked-book.ts";
import { requestOf, type Errand } from "./errand.ts";

const ANSWER_TIMEOUT_MS = 3_000;
/** 503 says how long to wait; where nobody answers, so long. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 2_000;
const NOT_FOUND = 404;

const acceptedSchema = z.object({ notification_id: z.string() });
const bulkSchema = z.object({
  results: z.array(
    z.object({
      index: z.number(),
      notification_id: z.string().optional(),
      problem: z.unknown().optional(),
    }),
  ),
});
const statusSchema = z.object({ status: z.string() });

export interface ServiceOptions {
  /** Where the API answers at the moment; another one may be given each time. */
  readonly address: () => Promise<string>;
  readonly token: string;
  readonly book: AskedBook;
  readonly now: () => number;
  /** Hears of refusals that should never come. */
  readonly onRefusal: (sentence: string) => void;
}

interface BulkItem {
  readonly errand: Errand;
  readonly item: Readonly<Record<string, unknown>>;
}

export interface Service {
  /** Resolves when it is accepted; for a scheduled one that is to be cancelled, when that is decided. */
  send(errand: Errand): Promise<void>;
  /** The same for several in one request. */
  sendBulk(errands: readonly Errand[]): Promise<void>;
}

export function createService(options: ServiceOptions): Service {
  const { address, token, book, now, onRefusal } = options;

  /** One try. Undefined where the caller cannot know: no answer in time, or 5xx. */
  async function ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
    try {
      const response = await fetch(`${await address()}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const text = await response.text();
      // On a starved machine a request may take longer to arrive than the server waits for it.
      if (response.status === 503 || response.status === 408) return undefined;
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    } catch {
      return undefined;
    }
  }

  async function untilAnswered<T>(tryOnce: () => Promise<T | undefined>): Promise<T> {
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
      const answer = await tryOnce();
      if (answer !== undefined) return answer;
      await delay(waitMs);
    }
  }

  async function sendOnce(errand: Errand, body: string): Promise<void> {
    const headers = { "idempotency-key": errand.key };
    const answer = await untilAnswered(() => ask("POST", "/notify", headers, body));
    if (answer.status !== 202 && answer.status !== 200) {
      onRefusal(`${errand.key} was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
      return;
    }
    book.accepted(errand, acceptedSchema.parse(answer.body).notification_id);
  }

  /** In one request, and again those that were put off. */
  async function sendItems(items: readonly BulkItem[]): Promise<void> {
    let open = items;
    while (open.length > 0) {
      const asked = open;
      const body = JSON.stringify({ notifications: asked.map(({ item }) => item) });
      const answer = await untilAnswered(() => ask("POST", "/notify/bulk", {}, body));
      if (answer.body === undefined) throw new Error(`${answer.status} for a bulk request`);
      const { results } = bulkSchema.parse(answer.body);
      const putOff: BulkItem[] = [];
      for (const { index, notification_id: id, problem } of results) {
        const one = asked[index];
        if (one === undefined) continue;
        if (id !== undefined) book.accepted(one.errand, id);
        else if (isPassing(problem)) putOff.push(one);
        else onRefusal(`${one.errand.key} was refused: ${JSON.stringify(problem)}`);
      }
      open = putOff;
      if (open.length > 0) await delay(RETRY_MS);
    }
  }

  /** A second DELETE after a lost answer may be told that there is nothing to cancel: its status says. */
  async function cancel(errand: Errand, id: string): Promise<void> {
    const path = `/notifications/${id}`;
    const answer = await untilAnswered(() => ask("DELETE", path, {}));
    const found = await untilAnswered(() => ask("GET", path, {}));
    // A Redis that was taken back meanwhile may not know it any more.
    if (found.status === NOT_FOUND) return;
    const { status } = statusSchema.parse(found.body);
    if (answer.status === 200 && status !== "cancelled") {
      onRefusal(`${errand.key} was said to be cancelled and is ${status}`);
    }
    if (status === "cancelled") book.cancelled(errand);
  }

  return {
    async send(errand) {
      book.open(errand);
      const body = JSON.stringify(requestOf(errand, now()));
      await sendOnce(errand, body);
      if (errand.twice) await sendOnce(errand, body);
      const id = book.idOf(errand);
      if (errand.cancel && id !== undefined) await cancel(errand, id);
    },

    async sendBulk(errands) {
      for (const errand of errands) book.open(errand);
      const items = errands.map((errand) => ({
        errand,
        item: { ...requestOf(errand, now()), idempotency_key: errand.key },
      }));
      await sendItems(items);
      await sendItems(items.filter(({ errand }) => errand.twice));
    },
  };
}

const isPassing = (problem: unknown): boolean =>
  z.object({ status: z.literal(503) }).safeParse(problem).success;
