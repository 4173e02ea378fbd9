/** The text messages that a phone would have got, where no SMS provider is set up. */
import { getOutbox, type OutboxMessage } from "./api.ts";
import { byId, element, timeElement } from "./elements.ts";

export interface OutboxPanel {
  /** Looks now; also called every few seconds while the tab is visible. */
  refresh(): Promise<void>;
  stop(): void;
}

const REFRESH_INTERVAL_MS = 4_000;
const MAX_SHOWN = 5;

const KEPT_HERE =
  "None sent. They are not sent to real phones but kept here; pick “Nobody is online” to see one.";
const SENT_FOR_REAL =
  "An SMS provider is set up: text messages go to real phones, and are not shown here.";

/** Stays hidden where the service has no outbox: in production, or seen from another machine. */
export function createOutboxPanel(): OutboxPanel {
  const section = byId("outbox-section", HTMLElement);
  const empty = byId("outbox-empty", HTMLParagraphElement);
  const list = byId("outbox", HTMLOListElement);
  let shown = "";
  let absent = false;

  function show(messages: readonly OutboxMessage[]): void {
    const text = JSON.stringify(messages);
    if (text === shown) return;
    shown = text;
    list.replaceChildren(...messages.slice(0, MAX_SHOWN).map(renderMessage));
    list.hidden = messages.length === 0;
    empty.hidden = messages.length > 0;
  }

  async function refresh(): Promise<void> {
    if (absent) return;
    const result = await getOutbox();
    if (!result.ok) {
      absent = result.status === 403 || result.status === 404;
      return;
    }
    section.hidden = false;
    const { in_use: inUse, messages } = result.value;
    empty.textContent = inUse ? KEPT_HERE : SENT_FOR_REAL;
    // What was kept before a provider was set up would look as if the next were kept as well.
    show(inUse ? [...messages].sort((a, b) => b.at.localeCompare(a.at)) : []);
  }

  const timer = window.setInterval(() => {
    if (document.visibilityState === "visible") void refresh();
  }, REFRESH_INTERVAL_MS);

  return {
    refresh,
    stop() {
      window.clearInterval(timer);
      section.hidden = true;
    },
  };
}

function renderMessage(message: OutboxMessage): HTMLLIElement {
  return element("li", {}, [
    element("p", { class: "facts" }, [
      element("span", { text: `To ${message.to}` }),
      timeElement(message.at),
    ]),
    element("p", { class: "bubble", text: message.text, attributes: { dir: "auto" } }),
  ]);
}
