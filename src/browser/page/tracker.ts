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
  follow(view: NotificationView, heading: string): void;
  /** Brings the latest into view. */
  reveal(): void;
  clear(): void;
}

/** What was sent before stays, folded, up to this many together; the page says so in words. */
const MAX_CARDS = 10;
/** Quick at first, since most settle at once; then slower. */
const POLL_DELAYS_MS = [150, 250, 400, 600, 1000, 1500, 2000];
/** A receipt or a late confirmation may still come after it settled. */
const LOOKS_AFTER_SETTLING = 3;
/** About two minutes; a page left open is no load. */
const MAX_LOOKS = 60;

/** What was sent, and where the page shows it. */
interface Card {
  readonly article: HTMLElement;
  readonly heading: string;
  view: NotificationView;
}

export function createTracker({ fetchView, onChange }: TrackerDeps): Tracker {
  const container = byId("sent", HTMLDivElement);
  const empty = byId("sent-empty", HTMLParagraphElement);
  const hint = byId("sent-hint", HTMLParagraphElement);
  let latest: Card | undefined;

  async function watch(card: Card): Promise<void> {
    let shown = JSON.stringify(card.view);
    let settledLooks = 0;
    for (let look = 0; look < MAX_LOOKS && settledLooks < LOOKS_AFTER_SETTLING; look += 1) {
      await pause(POLL_DELAYS_MS[look] ?? POLL_DELAYS_MS.at(-1) ?? 0);
      if (!card.article.isConnected) return;
      const result = await fetchView(card.view.notification_id);
      if (!result.ok) {
        await pause(result.retryAfterMs ?? 0);
        continue;
      }
      const text = JSON.stringify(result.value);
      if (text !== shown) {
        shown = text;
        card.view = result.value;
        render(card, card === latest);
        onChange();
      }
      if (isSettled(result.value) && !awaitsCarrier(result.value)) settledLooks += 1;
    }
  }

  return {
    follow(view, heading) {
      const card: Card = { article: element("article", { class: "sent-card" }), heading, view };
      if (latest !== undefined) fold(latest);
      latest = card;
      render(card, true);
      container.prepend(card.article);
      while (container.children.length > MAX_CARDS) container.lastElementChild?.remove();
      empty.hidden = true;
      hint.hidden = false;
      void watch(card);
    },
    reveal() {
      latest?.article.scrollIntoView({ block: "nearest" });
    },
    clear() {
      container.replaceChildren();
      latest = undefined;
      empty.hidden = false;
      hint.hidden = true;
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

/** A provider has the SMS, and its carrier is yet to say, seconds or minutes later, whether it arrived. */
function awaitsCarrier({
  channels,
  channel_details: details,
  timeline,
}: NotificationView): boolean {
  const isOut = timeline?.some(
    ({ channel, to, reason }) => channel === "sms" && to === "sending" && reason !== "outbox",
  );
  return isOut === true && channels.sms === "delivered" && details?.sms?.confirmed_at == null;
}

/** One line of an earlier message, with all else behind a click. */
function fold(card: Card): void {
  const details = card.article.querySelector("details");
  if (details !== null) details.open = false;
  render(card, false);
}

function render({ article, heading, view }: Card, isLatest: boolean): void {
  const wasOpen = article.querySelector("details")?.open ?? false;
  const channels = renderChannels(view);
  const more = isLatest
    ? renderMore(view, "Every step", [])
    : renderMore(view, "Channels and steps", [channels]);
  more.open = wasOpen;
  // Replaced as a whole, so whoever is in the middle of it is put back there.
  const focused = article.contains(document.activeElement);
  article.replaceChildren(
    element("div", { class: "title-row" }, [
      element("h3", { text: heading }),
      element("p", {
        class: `pill status-${view.status}`,
        text: STATUS_NAMES[view.status],
        attributes: { role: "status", title: STATUS_HINTS[view.status] },
      }),
    ]),
    ...(isLatest ? [channels] : []),
    more,
  );
  if (focused) more.querySelector("summary")?.focus();
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

function renderMore(
  view: NotificationView,
  title: string,
  first: readonly HTMLElement[],
): HTMLDetailsElement {
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
  return element("details", {}, [
    element("summary", { text: title }),
    ...first,
    element("p", { class: "hint", text: STATUS_HINTS[view.status] }),
    element("ol", { class: "timeline" }, steps),
    element("p", { class: "hint" }, [
      element("span", { text: "Notification " }),
      element("code", { text: view.notification_id }),
    ]),
  ]);
}
