/**
 * What Redis carries between a worker and the gateway nodes, and keeps as a user's history.
 * Plain text with single spaces: user ids, note ids and epochs hold none, and splitting a
 * string costs a fraction of parsing JSON on the hot path.
 * A form to come puts another word where `wantsAck` or the result of an answer stands: what does not
 * know it leaves that line alone, and the worker goes on as if nobody had answered.
 */

/** One message in a user's history; `payload` is a sealed `NotificationBody`. */
export interface HistoryEntry {
  readonly replayId: number;
  readonly epoch: string;
  readonly noteId: string;
  readonly payload: string;
}

/** A history entry on its way to a gateway node that holds the user. */
export interface NodeMessage extends HistoryEntry {
  readonly userId: string;
  /** Returned with the answer; an answer with an old fence settles nothing. */
  readonly fence: number;
  /** Who waits for the answer. */
  readonly workerId: string;
  /** Critical and immediate ones on `ack=1` sockets are done only when acknowledged. */
  readonly wantsAck: boolean;
}

/** What a gateway node did with a message. */
export const ANSWER_RESULTS = [
  "written",
  "ack_expected",
  "awaiting_ack",
  "acked",
  "no_socket",
  "slow",
] as const;
export type AnswerResult = (typeof ANSWER_RESULTS)[number];

export interface NodeAnswer {
  readonly noteId: string;
  readonly fence: number;
  readonly result: AnswerResult;
  /** How many of the user's sockets on this node the frame was written to. */
  readonly sockets: number;
}

function take(text: string, from: number): [field: string, next: number] {
  const end = text.indexOf(" ", from);
  if (end < 0) throw new Error("a message between processes is cut short");
  return [text.slice(from, end), end + 1];
}

/** Reads `replayId epoch noteId `, the place of a message, and says where it ends. */
function readPlace(text: string, from: number) {
  const [replayId, afterReplayId] = take(text, from);
  const [epoch, afterEpoch] = take(text, afterReplayId);
  const [noteId, end] = take(text, afterEpoch);
  return { replayId: Number(replayId), epoch, noteId, end };
}

/** Reads what `publish.lua` pushes onto the history: a place, with a blank behind it, and a payload. */
export function parseHistoryEntry(place: string, payload: string): HistoryEntry {
  const { replayId, epoch, noteId } = readPlace(place, 0);
  return { replayId, epoch, noteId, payload };
}

/** What stands in front of a history entry on its way to a gateway node. */
export function nodeMessageHeader(
  message: Pick<NodeMessage, "userId" | "fence" | "workerId" | "wantsAck">,
): string {
  return `${message.userId} ${message.fence} ${message.workerId} ${message.wantsAck ? 1 : 0} `;
}

/**
 * Reads `userId fence workerId wantsAck <history entry>`, the form `publish.lua` sends. Several may
 * travel together, one to a line: neither a sealed payload nor JSON text holds a line break.
 * Undefined if it is of a form that this version does not know.
 * @throws Error if it is cut short.
 */
export function parseNodeMessage(text: string): NodeMessage | undefined {
  const [userId, afterUser] = take(text, 0);
  const [fence, afterFence] = take(text, afterUser);
  const [workerId, afterWorker] = take(text, afterFence);
  const [wantsAck, afterAck] = take(text, afterWorker);
  if (wantsAck !== "0" && wantsAck !== "1") return undefined;
  const { replayId, epoch, noteId, end } = readPlace(text, afterAck);
  return {
    userId,
    fence: Number(fence),
    workerId,
    wantsAck: wantsAck === "1",
    replayId,
    epoch,
    noteId,
    payload: text.slice(end),
  };
}

/** The text frame a client receives: the body with its place in the history in front. */
export function frameText(entry: Pick<HistoryEntry, "replayId" | "epoch">, body: string): string {
  return `{"replay_id":"${entry.replayId}","epoch":"${entry.epoch}",${body.slice(1)}`;
}

/** Answers travel in batches, one line each. */
export function formatAnswers(answers: readonly NodeAnswer[]): string {
  return answers
    .map((answer) => `${answer.noteId} ${answer.fence} ${answer.result} ${answer.sockets}`)
    .join("\n");
}

/** @param onUnread hears of each answer that this version does not know; the others count. */
export function parseAnswers(text: string, onUnread: () => void = () => {}): NodeAnswer[] {
  const answers: NodeAnswer[] = [];
  for (const line of text.split("\n")) {
    const [noteId = "", fence = "", result = "", sockets = ""] = line.split(" ");
    const known = ANSWER_RESULTS.find((name) => name === result);
    if (known === undefined) onUnread();
    else answers.push({ noteId, fence: Number(fence), result: known, sockets: Number(sockets) });
  }
  return answers;
}
