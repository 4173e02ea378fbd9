/** Follows what was sent: each channel's state as it changes, and the whole story below. */
import { CHANNELS } from "../../contract/vocabulary.ts";
import type { NotificationView, Result } from "./api.ts";
import { byId, element, timeElement } from "./elements.ts";
import {
  CHANNEL_NAMES,
  CHANNEL_STATUS_NAMES,
  reasonName,
  STATUS_HINTS,
  STATUS_NAMES,
} from "./words.ts";

interface TrackerDeps {
  readonly fetchView: (id: string) => Promise<Result<NotificationView>>;
  readonly onChange: () => void;
}

export interface Tracker {
  follow(view: NotificationView, title: string, recipient: string): void;
  clear(): void;
}

/** What was sent before stays visible, up to this many. */
const MAX_CARDS = 3;
/** Quick at first, since most settle at once; then slower. */
const POLL_DELAYS_MS = [150, 250, 400, 600, 1000, 1500, 2000];
/** A receipt or a late confirmation may still come after it settled. */
const LOOKS_AFTER_SETTLING = 3;
/** About two minutes; a page left open is no load. */
const MAX_LOOKS = 60;

export function createTracker({ fetchView, onChange }: TrackerDeps): Tracker {
  const container = byId("sent", HTMLDivElement);
  const empty = byId("sent-empty", HTMLParagraphElement);

  async function watch(card: HTMLElement, first: NotificationView, heading: string): Promise<void> {
    let shown = JSON.stringify(first);
    let settledLooks = 0;
    for (let look = 0; look < MAX_LOOKS && settledLooks < LOOKS_AFTER_SETTLING; look += 1) {
      await pause(POLL_DELAYS_MS[look] ?? POLL_DELAYS_MS.at(-1) ?? 0);
      if (!card.isConnected) return;
      const result = await fetchView(first.notification_id);
      if (!result.ok) {
        await pause(result.retryAfterMs ?? 0);
        continue;
      }
      const text = JSON.stringify(result.value);
      if (text !== shown) {
        shown = text;
        render(card, result.value, heading);
        onChange();
      }
      if (isSettled(result.value)) settledLooks += 1;
    }
  }

  return {
    follow(view, title, recipient) {
      const heading = `${title} to ${recipient}`;
      const card = element("article", { class: "sent-card" });
      render(card, view, heading);
      container.prepend(card);
      while (container.children.length > MAX_CARDS) container.lastElementChild?.remove();
      empty.hidden = true;
      card.scrollIntoView({ block: "nearest" });
      void watch(card, view, heading);
    },
    clear() {
      container.replaceChildren();
      empty.hidden = false;
    },
  };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    window.setTimeout(resolve, delayMs);
  });
}

function isSettled(view: NotificationView): boolean {
  return view.status !== "queued" && view.status !== "scheduled";
}

function render(card: HTMLElement, view: NotificationView, heading: string): void {
  const wasOpen = card.querySelector("details")?.open ?? false;
  const timeline = renderTimeline(view, wasOpen);
  // Replaced as a whole, unless the person is in the middle of it.
  const focused = card.contains(document.activeElement);
  card.replaceChildren(
    element("div", { class: "title-row" }, [
      element("h3", { text: heading }),
      element("p", {
        class: `pill status-${view.status}`,
        text: STATUS_NAMES[view.status],
        attributes: { role: "status", title: STATUS_HINTS[view.status] },
      }),
    ]),
    renderChannels(view),
    timeline,
  );
  if (focused) timeline.querySelector("summary")?.focus();
}

function renderChannels(view: NotificationView): HTMLElement {
  const items = CHANNELS.map((channel) => {
    const status = view.channels[channel];
    const detail = view.channel_details?.[channel];
    const confirmed = detail?.confirmed_at !== undefined && detail.confirmed_at !== null;
    const word = confirmed && status === "delivered" ? "confirmed" : CHANNEL_STATUS_NAMES[status];
    return element(
      "li",
      {
        class: `chip chip-${status}`,
        attributes: { "data-channel": channel, "data-status": status },
      },
      [
        element("span", { class: "chip-name", text: CHANNEL_NAMES[channel] }),
        element("strong", { text: word }),
        detail?.reason === undefined
          ? undefined
          : element("span", { class: "hint", text: reasonName(detail.reason) }),
      ],
    );
  });
  return element("ol", { class: "chips", attributes: { "aria-label": "Channels" } }, items);
}

function renderTimeline(view: NotificationView, open: boolean): HTMLDetailsElement {
  const steps = (view.timeline ?? []).map((step) => {
    const where =
      step.channel === undefined || step.channel === null ? "Message" : CHANNEL_NAMES[step.channel];
    const why =
      step.reason === undefined || step.reason === null ? "" : ` (${reasonName(step.reason)})`;
    const from = step.from === null || step.from === "-" ? "" : `${step.from} → `;
    return element("li", {}, [
      timeElement(step.at),
      element("span", { text: `${where}: ${from}${step.to}${why}` }),
    ]);
  });
  const details = element("details", {}, [
    element("summary", { text: "Every step" }),
    element("p", { class: "hint", text: STATUS_HINTS[view.status] }),
    element("ol", { class: "timeline" }, steps),
    element("p", { class: "hint" }, [
      element("span", { text: "Notification " }),
      element("code", { text: view.notification_id }),
    ]),
  ]);
  details.open = open;
  return details;
}
