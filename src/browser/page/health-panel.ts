/** The health of the service, as a list that people can read. */
import { getHealth, type HealthView } from "./api.ts";
import { byId, element, timeElement } from "./elements.ts";
import { HEALTH_STATE_NAMES, PART_NAMES } from "./words.ts";

/** Makes the button in the header open a dialog, which looks anew each time. */
export function createHealthPanel(): void {
  const dialog = byId("health", HTMLDialogElement);
  const content = byId("health-content", HTMLDivElement);

  async function refresh(): Promise<void> {
    const result = await getHealth();
    content.replaceChildren(
      ...(result.ok ? renderHealth(result.value) : [element("p", { text: result.message })]),
    );
  }

  byId("health-open", HTMLButtonElement).addEventListener("click", () => {
    content.replaceChildren(element("p", { class: "hint", text: "One moment…" }));
    dialog.showModal();
    void refresh();
  });
  byId("health-refresh", HTMLButtonElement).addEventListener("click", () => void refresh());
  byId("health-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
}

function renderHealth(view: HealthView): HTMLElement[] {
  const parts = Object.entries({
    redis: view.redis,
    queue: view.queue,
    kafka: view.kafka,
    ...view.services,
  });
  return [
    element("p", {}, [
      element("span", { text: "All in all: " }),
      statePill(view.status),
      element("span", { class: "hint", text: ` Version ${view.version}, seen at ` }),
      timeElement(view.timestamp),
    ]),
    element(
      "dl",
      { class: "parts" },
      parts.map(([part, state]) =>
        element("div", {}, [
          element("dt", { text: PART_NAMES.get(part) ?? part }),
          element("dd", {}, [
            statePill(state),
            ...explain(view, part).map((text) => element("p", { class: "hint", text })),
          ]),
        ]),
      ),
    ),
    element("p", {
      class: "hint",
      text: `Open connections: ${view.total_connections}, of people: ${view.active_users}.`,
    }),
  ];
}

/** What lies behind a part's state, as far as the service says. */
function explain(view: HealthView, part: string): string[] {
  const resting = view.open_breakers[part] ?? 0;
  return [
    ...(part === "push" && view.push_reason === "keys_refused"
      ? ["A push service refuses the keys of this installation; the log names it."]
      : []),
    ...(resting > 0 ? [`Providers not asked for a while, as they failed: ${resting}.`] : []),
    ...(part === "sms" && view.outbox ? ["Shown on this page instead of sent."] : []),
  ];
}

/** A state that this page does not know is shown as the service names it. */
function statePill(state: string): HTMLElement {
  return element("span", {
    class: `tag health-${state}`,
    text: HEALTH_STATE_NAMES.get(state) ?? state,
  });
}
