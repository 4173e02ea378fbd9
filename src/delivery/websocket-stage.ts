/** The first stage: render, publish, and settle by what the gateways answer. */
import { sandboxScript } from "../channels/scripted/sandbox.ts";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { afterChange, type NoteChange, type Publication } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { createAnswerBook, type AnswerBook, type FrameFate } from "./answer-book.ts";
import type { Messages } from "./messages.ts";
import { markSent } from "./note-steps.ts";
import type { Job, StageDesk } from "./stage-desk.ts";

export interface WebsocketStageOptions {
  readonly desk: StageDesk;
  readonly ledger: {
    publish(
      publications: readonly Publication[],
      workerId: string,
    ): Promise<{ nodes: number; replayId: string; epoch: string }[]>;
  };
  /** Hears of each frame that got its place in the history; must neither wait nor throw. */
  readonly onPublished?: (note: Note, replayId: string, epoch: string, body: string) => void;
  readonly messages: Pick<Messages, "frame">;
  readonly receipts: {
    record(receipts: readonly { noteId: string; channel: "websocket"; kind: "confirmed" }[]): void;
  };
  readonly workerId: string;
  readonly clock: Clock;
  readonly answerMs: number;
  readonly ackMs: number;
  readonly logger: Logger;
}

export interface WebsocketStage {
  process(items: readonly { readonly id: string; readonly attempt: number }[]): Promise<void>;
  /** Answers of gateway nodes are given to it. */
  readonly answers: Pick<AnswerBook, "record" | "size">;
  close(): Promise<void>;
}

/** The due index takes over this long after the worker that waited should have. */
const TAKE_OVER_MS = 1_000;

export function createWebsocketStage(options: WebsocketStageOptions): WebsocketStage {
  const { desk, clock, logger } = options;
  const settling = new Set<Promise<unknown>>();

  function changeOf(note: Note, fate: FrameFate): NoteChange {
    desk.report(note, "websocket", fate.kind, note.channels.websocket.at);
    switch (fate.kind) {
      case "delivered":
        return desk.closeChannel(note, "websocket", "delivered", null, fate);
      case "offline":
        return desk.closeChannel(note, "websocket", "skipped", "offline");
      case "unconfirmed":
        return desk.closeChannel(note, "websocket", "failed", "unconfirmed", {
          sockets: fate.sockets,
        });
    }
  }

  const book = createAnswerBook({
    clock,
    answerMs: options.answerMs,
    ackMs: options.ackMs,
    onLateAck: (noteId) =>
      options.receipts.record([{ noteId, channel: "websocket", kind: "confirmed" }]),
    onFates(fates) {
      const work = desk
        .apply(fates.map(({ note, fate }) => changeOf(note, fate)))
        .catch((error: unknown) => {
          logger.warn({ err: error }, "answers not written; the due index will settle their notes");
        })
        .finally(() => settling.delete(work));
      settling.add(work);
    },
  });

  async function publicationOf({ note, preferences }: Job): Promise<Publication | undefined> {
    const now = clock.now();
    const body = await desk.compose(note, "websocket", () =>
      options.messages.frame(note, preferences, now),
    );
    if (body === undefined) return undefined;
    const wantsAck = note.priority === "critical" || note.priority === "immediate";
    const patienceMs = options.answerMs + (wantsAck ? options.ackMs : 0) + TAKE_OVER_MS;
    const sent = markSent(note, now, now + patienceMs);
    return {
      body,
      wantsAck,
      sent,
      after: afterChange(sent),
    };
  }

  async function publish(jobs: readonly Job[]): Promise<void> {
    const publications: Publication[] = [];
    for (const job of jobs) {
      const publication = await publicationOf(job);
      if (publication !== undefined) publications.push(publication);
    }
    for (const { after } of publications) book.expect(after);
    const startedAt = clock.now();
    const results = await options.ledger.publish(publications, options.workerId);
    const offline: NoteChange[] = [];
    results.forEach(({ nodes, replayId, epoch }, at) => {
      const publication = publications[at];
      if (publication === undefined) return;
      const { note } = publication.sent;
      book.sent(note.id, nodes, { replayId, epoch });
      if (nodes >= 0) options.onPublished?.(note, replayId, epoch, publication.body);
      if (nodes !== 0) return;
      desk.report(note, "websocket", "offline", startedAt);
      // Sent to nobody: its record says no more than that it was skipped.
      const { version, fence } = publication.after;
      const unsent = { ...note, version, fence, replayId, epoch };
      offline.push(desk.closeChannel(unsent, "websocket", "skipped", "offline"));
    });
    // Nobody is online: there is no answer to wait for. If this is lost, the due index finds them.
    await desk.apply(offline);
  }

  return {
    answers: book,

    async process(items) {
      const jobs = await desk.takeUp("websocket", items);
      const sandboxed: NoteChange[] = [];
      const real: Job[] = [];
      for (const job of jobs) {
        const script = sandboxScript(job.note.userId);
        if (script === undefined) real.push(job);
        else sandboxed.push(scripted(job.note, script.websocket));
      }
      await desk.apply(sandboxed);
      if (real.length > 0) await publish(real);
    },

    async close() {
      book.close();
      await Promise.all(settling);
    },
  };

  /** Reserved recipients meet the fate in their name, with no history and no gateway. */
  function scripted(note: Note, fate: "delivered" | "offline"): NoteChange {
    desk.report(note, "websocket", fate, clock.now());
    const change =
      fate === "delivered"
        ? desk.closeChannel(note, "websocket", "delivered", null, { sockets: 1 })
        : desk.closeChannel(note, "websocket", "skipped", "offline");
    // No script publishes it, so the try is counted here.
    return { ...change, counts: { ...change.counts, "websocket.sent": 1 } };
  }
}
