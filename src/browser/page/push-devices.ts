/** The person's browsers that ring: a list with a button to remove each. */
import { getDevices, removeDevice, type Device } from "./api.ts";
import { byId, element } from "./elements.ts";

interface DevicesDeps {
  readonly token: () => string | undefined;
  /** Id of this browser's subscription, where it has one. */
  readonly thisId: () => string | undefined;
  /** This browser is turned off the way its own switch does it. */
  readonly onRemoveThis: () => Promise<void>;
}

export interface DevicesList {
  /** @returns whether this browser is in the list; undefined if that could not be found out. */
  refresh(): Promise<boolean | undefined>;
  clear(): void;
}

const DAY_MS = 86_400_000;
/** The end is worth a word from two weeks before. */
const ENDING_MS = 14 * DAY_MS;

const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

const UNITS = [
  ["year", 365 * DAY_MS],
  ["month", 30 * DAY_MS],
  ["day", DAY_MS],
  ["hour", DAY_MS / 24],
  ["minute", DAY_MS / 1_440],
] as const;

/** "3 days ago", "in 2 weeks"; below a minute "just now". */
export function inWords(instantMs: number, nowMs: number): string {
  const distance = instantMs - nowMs;
  for (const [unit, unitMs] of UNITS) {
    if (Math.abs(distance) >= unitMs) return relative.format(Math.trunc(distance / unitMs), unit);
  }
  return "just now";
}

function seenElement(device: Device, now: number): HTMLElement {
  const instant = Date.parse(device.last_seen_at);
  return element("p", { class: "hint" }, [
    document.createTextNode("Last seen "),
    element("time", {
      text: inWords(instant, now),
      attributes: { datetime: device.last_seen_at, title: fullDate.format(instant) },
    }),
  ]);
}

function endElement(device: Device, now: number): HTMLElement | undefined {
  const end = Date.parse(device.expires_at);
  if (end - now > ENDING_MS) return undefined;
  return element("p", {
    class: "ending",
    text: `Stops ${inWords(end, now)} unless Schoolbell is opened there`,
  });
}

export function createDevicesList(deps: DevicesDeps): DevicesList {
  const section = byId("devices", HTMLDivElement);
  const title = byId("devices-title", HTMLHeadingElement);
  const list = byId("devices-list", HTMLUListElement);
  const status = byId("devices-status", HTMLParagraphElement);

  async function remove(device: Device, button: HTMLButtonElement): Promise<void> {
    const token = deps.token();
    if (token === undefined) return;
    button.disabled = true;
    const isThis = device.id === deps.thisId();
    if (isThis) await deps.onRemoveThis();
    const result = isThis ? undefined : await removeDevice(token, device.id);
    // One that is not there any more has been removed, by whomever.
    const failed = result !== undefined && !result.ok && result.status !== 404;
    if (failed) button.disabled = false;
    else await refresh();
    status.textContent = failed ? result.message : `${nameOf(device)} was removed.`;
    // The button that had the focus is gone.
    if (!failed) (section.hidden ? byId("push-title", HTMLElement) : title).focus();
  }

  function render(device: Device, now: number): HTMLLIElement {
    const isThis = device.id === deps.thisId();
    const name = nameOf(device);
    const button = element("button", {
      class: "quiet",
      text: "Remove",
      attributes: {
        type: "button",
        "aria-label": `Remove ${name}${isThis ? ", this browser" : ""}`,
      },
    });
    button.addEventListener("click", () => void remove(device, button));
    return element("li", {}, [
      element("div", {}, [
        element("p", { class: "device-name" }, [
          element("strong", { text: name, attributes: { dir: "auto" } }),
          isThis ? element("span", { class: "tag", text: "This browser" }) : undefined,
        ]),
        seenElement(device, now),
        isThis ? undefined : endElement(device, now),
      ]),
      button,
    ]);
  }

  async function refresh(): Promise<boolean | undefined> {
    const token = deps.token();
    if (token === undefined) return undefined;
    const result = await getDevices(token);
    if (!result.ok) return undefined;
    const devices = result.value.subscriptions;
    const now = Date.now();
    list.replaceChildren(...devices.map((device) => render(device, now)));
    section.hidden = devices.length === 0;
    return devices.some(({ id }) => id === deps.thisId());
  }

  return {
    refresh,
    clear() {
      list.replaceChildren();
      status.textContent = "";
      section.hidden = true;
    },
  };
}

function nameOf({ label }: Device): string {
  return label ?? "A browser";
}
