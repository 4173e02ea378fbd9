/** The panel with the switch for browser notifications, and the messages of the service worker. */
import * as z from "zod/mini";
import { byId } from "./elements.ts";
import { createDevicesList } from "./push-devices.ts";
import { lastTold } from "./push-told.ts";
import {
  adoptSubscription,
  clearScreen,
  turnOff,
  turnOn,
  type PushState,
  type Who,
} from "./push.ts";

interface PushPanelDeps {
  /** Undefined while nobody is signed in. */
  readonly who: () => Who | undefined;
  readonly onClicked: (notificationId: string) => void;
}

export interface PushPanel {
  /** After sign-in. */
  start(): Promise<void>;
  /** Before sign-out, while the token still works. */
  leave(): Promise<void>;
}

const workerMessageSchema = z.object({
  type: z.enum(["push_shown", "push_clicked", "push_subscription_changed"]),
  notification_id: z.optional(z.string()),
});

const ON_TEXT = "On. Close every tab of this page and send something: the browser shows it.";
const OFF_TEXT = "Off. Turn them on to be reached while no tab is open.";

export function createPushPanel({ who, onClicked }: PushPanelDeps): PushPanel {
  const button = byId("push-toggle", HTMLButtonElement);
  const text = byId("push-text", HTMLParagraphElement);
  let state: PushState = { kind: "off" };

  const devices = createDevicesList({
    token: () => who()?.token,
    thisId() {
      const told = lastTold();
      return told?.userId === who()?.userId ? told?.subscriptionId : undefined;
    },
    onRemoveThis: () => during(turnOff),
  });

  function show(next: PushState): void {
    state = next;
    button.textContent = next.kind === "on" ? "Turn off" : "Turn on browser notifications";
    button.hidden = next.kind === "unavailable";
    text.dataset["state"] = next.kind;
    if (next.kind === "on") text.textContent = ON_TEXT;
    else text.textContent = next.kind === "off" ? OFF_TEXT : next.message;
  }

  async function during(work: (who: Who) => Promise<PushState>): Promise<void> {
    const current = who();
    if (current === undefined) return;
    button.disabled = true;
    show(await work(current).catch(() => ({ kind: "trouble" as const, message: "It failed." })));
    button.disabled = false;
  }

  button.addEventListener("click", () => {
    text.textContent = "One moment: the browser is asked…";
    void during(state.kind === "on" ? turnOff : turnOn).then(() => devices.refresh());
  });

  // Absent on insecure origins, where the panel only says so.
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("message", (event: MessageEvent<unknown>) => {
      const message = z.safeParse(workerMessageSchema, event.data).data;
      if (message?.type === "push_clicked") onClicked(message.notification_id ?? "");
      if (message?.type === "push_subscription_changed") void renewed();
    });
  }

  /** The browser has another subscription, or none; the worker may have handed it in already. */
  async function renewed(): Promise<void> {
    if (state.kind === "on") await during(turnOn);
    await devices.refresh();
  }

  return {
    async start() {
      await during(adoptSubscription);
      const isListed = await devices.refresh();
      // Told within a day, and lost since: a Redis that was brought back from a copy.
      if (state.kind !== "on" || isListed !== false) return;
      await during((current) => adoptSubscription(current, false));
      await devices.refresh();
    },
    async leave() {
      await during(turnOff);
      await clearScreen().catch(() => undefined);
      devices.clear();
    },
  };
}
