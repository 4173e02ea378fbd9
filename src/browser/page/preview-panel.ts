/** The dialog that shows what an open tab, a lock screen and a phone would show, before it is sent. */
import type { PreviewView } from "./api.ts";
import type { PreviewChoices } from "./composer.ts";
import { byId, element } from "./elements.ts";

type Texts = PreviewView["previews"][number];

const ENCODING_HINTS: ReadonlyMap<string, string> = new Map([
  [
    "gsm7",
    "The alphabet of cheap text messages (GSM-7): one segment holds 160 characters, each of several 153.",
  ],
  ["ucs2", "Some characters need UCS-2: one segment holds 70 characters, each of several 67."],
]);

/** @returns the function that opens it. */
export function createPreviewPanel(): (view: PreviewView, choices: PreviewChoices) => void {
  const dialog = byId("preview", HTMLDialogElement);
  const content = byId("preview-content", HTMLDivElement);
  const languages = byId("preview-locale", HTMLSelectElement);
  let showChosen = (): void => {};

  languages.addEventListener("change", () => showChosen());
  byId("preview-close", HTMLButtonElement).addEventListener("click", () => dialog.close());

  return (view, choices) => {
    showChosen = () => {
      const texts = view.previews.find(({ locale }) => locale === languages.value);
      if (texts !== undefined) content.replaceChildren(...renderScreens(view, texts, choices));
    };
    languages.replaceChildren(
      ...view.previews.map(({ locale }) =>
        element("option", { text: languageName(locale), attributes: { value: locale } }),
      ),
    );
    languages.value = firstLanguage(view, choices.locale);
    showChosen();
    dialog.showModal();
  };
}

/** The one that was chosen to be sent in; else the browser's, if there are texts in it. */
function firstLanguage({ previews }: PreviewView, chosen: string): string {
  const own = chosen === "" ? navigator.language.split("-", 1)[0] : chosen;
  return (previews.find(({ locale }) => locale === own) ?? previews[0])?.locale ?? "";
}

/** In the language itself, as the form has it. */
function languageName(locale: string): string {
  const options = [...byId("locale", HTMLSelectElement).options];
  return options.find(({ value }) => value === locale)?.textContent ?? locale;
}

function renderScreens(view: PreviewView, texts: Texts, choices: PreviewChoices): HTMLElement[] {
  const without = (channel: string): string | undefined =>
    choices.channels.includes(channel) ? undefined : "Not among the channels chosen.";
  const tooMild = view.sms_when === "if_critical" && choices.priority !== "critical";
  return [
    screen("In an open tab", without("websocket"), renderTab(texts)),
    screen("On a lock screen", without("push"), renderLockScreen(texts)),
    screen(
      "As a text message",
      without("sms") ?? (tooMild ? "Only sent where the priority is critical." : undefined),
      renderSms(texts),
    ),
  ];
}

/** @param why it would not go out this way; undefined if it may. */
function screen(name: string, why: string | undefined, parts: HTMLElement[]): HTMLElement {
  const note = why === undefined ? undefined : element("p", { class: "hint", text: why });
  return element("section", {}, [
    element("h3", { text: name }),
    element("div", { class: why === undefined ? "screen" : "screen off" }, [note, ...parts]),
  ]);
}

function inOwnLanguage({ locale, dir }: Texts): { attributes: Record<string, string> } {
  return { attributes: { lang: locale, dir } };
}

function renderTab(texts: Texts): HTMLElement[] {
  return [
    element("div", { class: "shown in-tab", ...inOwnLanguage(texts) }, [
      element("strong", { text: texts.title }),
      element("p", { text: texts.body }),
    ]),
  ];
}

function renderLockScreen(texts: Texts): HTMLElement[] {
  const buttons = texts.actions.map(({ title }) => element("span", { text: title }));
  return [
    element("div", { class: "shown", ...inOwnLanguage(texts) }, [
      element("span", { class: "from" }, [
        element("img", { attributes: { src: "/icon.svg", alt: "", width: "16", height: "16" } }),
        element("bdi", { text: window.location.host }),
      ]),
      element("strong", { text: texts.public_title }),
      element("p", { text: texts.public_body }),
      buttons.length === 0 ? undefined : element("div", { class: "buttons" }, buttons),
    ]),
    element("p", { class: "hint" }, [
      element("span", { text: "A tap leads to " }),
      element("code", { text: texts.url }),
    ]),
    element("p", {
      class: "hint",
      text: "Browsers may show one more button: to mark it as read, or to be reminded in an hour.",
    }),
  ];
}

function renderSms({ sms, locale, dir }: Texts): HTMLElement[] {
  const { segments, characters, encoding } = sms;
  const count = segments === 1 ? "1 segment" : `${segments} segments`;
  return [
    element("p", { class: "bubble", text: sms.text, attributes: { lang: locale, dir } }),
    element("p", { class: "facts" }, [
      element("span", { class: `tag ${segments === 1 ? "cheap" : "dear"}`, text: count }),
      element("span", { text: `${characters} characters` }),
    ]),
    element("p", { class: "hint", text: ENCODING_HINTS.get(encoding) ?? encoding }),
  ];
}
