/** The inbox: what arrived, newest first, filled live. */
import type { NotificationFrame, ReplayGapFrame } from "../../contract/frames.ts";
import { byId, element, timeElement } from "./elements.ts";
import { CATEGORY_NAMES, PRIORITY_NAMES } from "./words.ts";

export interface Inbox {
  /** `read`: the person has read it before, in this browser. */
  add(frame: NotificationFrame, read: boolean): void;
  gap(frame: ReplayGapFrame): void;
  /** Those that the person has read elsewhere are no longer new here; `onRead` is not told. */
  readElsewhere(notificationIds: readonly string[]): void;
  /** Draws the eye to one notification, if it is here. */
  highlight(notificationId: string): void;
  /** Brings the newest into view, where it is not: on a phone the form fills the screen. */
  reveal(): void;
  clear(): void;
}

interface Entry {
  readonly frame: NotificationFrame;
  readonly row: HTMLLIElement;
  unread: boolean;
}

/** As many as the service keeps for a person. */
const MAX_ENTRIES = 100;
/** Screen readers hear of a burst once. */
const ANNOUNCE_DELAY_MS = 400;

const GAP_TEXTS: Readonly<Record<ReplayGapFrame["reason"], string>> = {
  trimmed:
    "You were away for so long that some notifications are no longer kept. The newest are below.",
  rewound: "The service lost its latest records. Some notifications may be missing below.",
  epoch_changed: "The service started a new record. What you had before may be missing below.",
};

/** @param onRead is told of the notifications that the person marks as read, all at once. */
export function createInbox(onRead: (frames: readonly NotificationFrame[]) => void): Inbox {
  const list = byId("inbox", HTMLOListElement);
  const empty = byId("inbox-empty", HTMLParagraphElement);
  const unread = byId("unread", HTMLSpanElement);
  const readAll = byId("read-all", HTMLButtonElement);
  const gapNotice = byId("gap", HTMLDivElement);
  const announcer = createAnnouncer(byId("announcer", HTMLParagraphElement));
  const entries = new Map<string, Entry>();

  function refresh(): void {
    const count = [...entries.values()].filter((entry) => entry.unread).length;
    empty.hidden = entries.size > 0;
    list.hidden = entries.size === 0;
    unread.hidden = count === 0;
    unread.textContent = `${count} new`;
    readAll.hidden = count === 0;
    document.title = count === 0 ? "Schoolbell" : `(${count}) Schoolbell`;
  }

  function showRead(marked: readonly Entry[]): void {
    for (const entry of marked) {
      entry.unread = false;
      entry.row.classList.remove("unread");
      entry.row.querySelector(".mark-read")?.remove();
    }
    refresh();
  }

  function markRead(marked: readonly Entry[]): void {
    showRead(marked);
    onRead(marked.map(({ frame }) => frame));
    // The button is gone; whoever used the keyboard goes on in the list.
    list.focus();
  }

  readAll.addEventListener("click", () => {
    markRead([...entries.values()].filter((entry) => entry.unread));
  });
  byId("gap-close", HTMLButtonElement).addEventListener("click", () => {
    gapNotice.hidden = true;
    list.focus();
  });

  return {
    add(frame, read) {
      const row = renderRow(frame, !read, () => markRead([entry]));
      const entry: Entry = { frame, row, unread: !read };
      entries.set(frame.notification_id, entry);
      list.prepend(row);
      for (const [id, oldest] of entries) {
        if (entries.size <= MAX_ENTRIES) break;
        oldest.row.remove();
        entries.delete(id);
      }
      refresh();
      if (!read) announcer.add(frame.title);
    },
    gap(frame) {
      byId("gap-text", HTMLParagraphElement).textContent = GAP_TEXTS[frame.reason];
      gapNotice.hidden = false;
    },
    readElsewhere(notificationIds) {
      showRead(notificationIds.flatMap((id) => entries.get(id) ?? []));
    },
    highlight(notificationId) {
      const row = entries.get(notificationId)?.row;
      if (row === undefined) return;
      for (const { row: other } of entries.values()) other.classList.remove("highlight");
      row.classList.add("highlight");
      row.scrollIntoView({ block: "center" });
    },
    reveal() {
      list.scrollTop = 0;
      byId("inbox-title", HTMLHeadingElement).scrollIntoView({ block: "nearest" });
    },
    clear() {
      entries.clear();
      list.replaceChildren();
      gapNotice.hidden = true;
      announcer.clear();
      refresh();
    },
  };
}

function renderRow(
  frame: NotificationFrame,
  isNew: boolean,
  onMarkRead: () => void,
): HTMLLIElement {
  // Language and direction are those of the text, not of the page.
  const language = { lang: frame.locale, dir: frame.dir };
  const facts = element("p", { class: "facts" }, [
    element("span", {
      class: `tag priority-${frame.priority}`,
      text: PRIORITY_NAMES[frame.priority],
    }),
    element("span", { text: CATEGORY_NAMES[frame.category] }),
    frame.action_required ? element("span", { text: "Needs an answer" }) : undefined,
    timeElement(frame.timestamp),
  ]);
  const button = element("button", {
    class: "quiet mark-read",
    text: "Mark read",
    attributes: { type: "button", "aria-label": `Mark read: ${frame.title}` },
  });
  button.addEventListener("click", onMarkRead);
  return element("li", { class: isNew ? "unread" : "" }, [
    element("div", { class: "inbox-title" }, [
      element("h3", { text: frame.title, attributes: language }),
      isNew ? button : undefined,
    ]),
    element("p", { text: frame.body, attributes: language }),
    facts,
  ]);
}

interface Announcer {
  add(title: string): void;
  clear(): void;
}

function createAnnouncer(region: HTMLElement): Announcer {
  let titles: string[] = [];
  let timer: number | undefined;

  function flush(): void {
    const [title = ""] = titles;
    region.textContent =
      titles.length === 1 ? `New notification: ${title}` : `${titles.length} new notifications`;
    titles = [];
    timer = undefined;
  }

  return {
    add(title) {
      titles.push(title);
      timer ??= window.setTimeout(flush, ANNOUNCE_DELAY_MS);
    },
    clear() {
      window.clearTimeout(timer);
      timer = undefined;
      titles = [];
      region.textContent = "";
    },
  };
}
