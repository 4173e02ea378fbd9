/** Puts the try-out page together: sign in, send, watch, receive. */
import { browserEnvironment } from "../client/browser-environment.ts";
import { createClient, type Client, type ConnectionState } from "../client/client.ts";
import { getNotification, notify, previewTemplate, type Result } from "./api.ts";
import { createComposer } from "./composer.ts";
import { byId } from "./elements.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { createOutboxPanel, type OutboxPanel } from "./outbox.ts";
import { createHealthPanel } from "./health-panel.ts";
import { createPreviewPanel } from "./preview-panel.ts";
import { createPushPanel } from "./push-panel.ts";
import { createReadMarks, type ReadMarks } from "./read-marks.ts";
import { forgetUser, getTicket, type Session } from "./session.ts";
import { createSignIn } from "./sign-in.ts";
import { createTracker } from "./tracker.ts";
import { askWorkerWhatWasRead, onReadByWorker, tellWorkerRead } from "./worker-link.ts";

let session: Session | undefined;
let client: Client | undefined;
let outbox: OutboxPanel | undefined;
let readMarks: ReadMarks | undefined;

const environment = browserEnvironment();
const inbox = createInbox((frames) => {
  const ids = frames.map((frame) => frame.notification_id);
  readMarks?.add(ids);
  tellWorkerRead(ids);
  for (const frame of frames) client?.read(frame);
});
onReadByWorker((ids) => {
  readMarks?.add(ids);
  inbox.readElsewhere(ids);
});
const tracker = createTracker({
  fetchView: (id) => withToken((token) => getNotification(token, id)),
  onChange: () => void outbox?.refresh(),
});
const composer = createComposer({
  send(request) {
    const key = crypto.randomUUID();
    return withToken((token) => notify(token, request, key));
  },
  preview: (templateId, body) => withToken((token) => previewTemplate(token, templateId, body)),
  onPreview: createPreviewPanel(),
  onSent(view, title, recipient) {
    tracker.follow(view, `${title} to ${recipient ?? "you"}`);
    if (recipient === undefined) inbox.reveal();
    else tracker.reveal();
  },
});
const pushPanel = createPushPanel({
  who: () => session && { userId: session.userId, token: session.token() },
  onClicked: (id) => inbox.highlight(id),
});

const signIn = createSignIn(enter);

/** Calls with the token in use, and once more with a new one if that has run out. */
async function withToken<T>(work: (token: string) => Promise<Result<T>>): Promise<Result<T>> {
  const current = session;
  if (current === undefined) {
    return {
      ok: false,
      status: 401,
      message: "Sign in first.",
      issues: [],
      retryAfterMs: undefined,
    };
  }
  const result = await work(current.token());
  if (result.ok || result.status !== 401) return result;
  const renewed = await current.renew().catch(() => undefined);
  return renewed === undefined ? result : work(renewed);
}

function connect(current: Session, into: Inbox, marks: ReadMarks): Client {
  const url = new URL("/ws/notify", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return createClient({
    url: url.href,
    userId: current.userId,
    pass: { kind: "ticket", get: (renew) => getTicket(current, renew) },
    ack: true,
    startFrom: "history",
    environment,
    onNotification: (frame) => into.add(frame, marks.has(frame.notification_id)),
    onState: showConnection,
    onGap: (frame) => into.gap(frame),
  });
}

function showConnection(state: ConnectionState): void {
  const pill = byId("connection", HTMLParagraphElement);
  pill.dataset["state"] = state.kind;
  pill.textContent = connectionText(state);
}

function connectionText(state: ConnectionState): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "open":
      return "Live";
    case "waiting":
      return `Offline, trying again in ${Math.max(1, Math.round(state.delayMs / 1000))} s`;
    case "refused":
      return "The token was refused. Sign in again.";
    case "stopped":
    default:
      return "Off";
  }
}

function enter(next: Session): void {
  session = next;
  byId("account-name", HTMLElement).textContent = next.userId;
  signIn.hide();
  showWorkspace(true);
  composer.setUser(next.userId);
  readMarks = createReadMarks(environment.storage, next.userId);
  askWorkerWhatWasRead();
  client = connect(next, inbox, readMarks);
  client.connect();
  outbox = createOutboxPanel();
  void outbox.refresh();
  void pushPanel.start();
  byId("main", HTMLElement).focus({ preventScroll: true });
}

async function leave(): Promise<void> {
  await pushPanel.leave();
  forgetUser();
  client?.stop();
  outbox?.stop();
  session = undefined;
  client = undefined;
  readMarks = undefined;
  outbox = undefined;
  inbox.clear();
  tracker.clear();
  showWorkspace(false);
  signIn.show();
}

function showWorkspace(signedIn: boolean): void {
  for (const id of ["workspace", "account", "connection"]) {
    byId(id, HTMLElement).hidden = !signedIn;
  }
}

byId("sign-out", HTMLButtonElement).addEventListener("click", () => void leave());
createHealthPanel();
window.addEventListener("online", () => client?.retryNow());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") client?.retryNow();
});

byId("landing", HTMLDivElement).hidden = window.location.pathname === "/";
byId("landing-path", HTMLElement).textContent = window.location.pathname;

void signIn.start();
