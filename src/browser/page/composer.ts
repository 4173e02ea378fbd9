/** The form that sends: an example is one click, Send is the other; all else is folded away. */
import type { NotificationView, PreviewView, Result } from "./api.ts";
import { byId, element } from "./elements.ts";
import { EXAMPLES, type Example } from "./examples.ts";
import { PRIORITY_NAMES } from "./words.ts";

/** What the form says beside the texts: whether and in what language they would go out. */
export interface PreviewChoices {
  readonly channels: readonly string[];
  /** Empty: the template's own. */
  readonly priority: string;
  /** Empty: the recipient's own. */
  readonly locale: string;
}

interface ComposerDeps {
  /** Sends the body of a `POST /notify`. */
  readonly send: (request: Record<string, unknown>) => Promise<Result<NotificationView>>;
  /** Asks for the body of a `POST /templates/{id}/preview`. */
  readonly preview: (templateId: string, body: unknown) => Promise<Result<PreviewView>>;
  readonly onPreview: (view: PreviewView, choices: PreviewChoices) => void;
  /** `recipient` is undefined for a message to oneself. */
  readonly onSent: (view: NotificationView, title: string, recipient: string | undefined) => void;
}

export interface Composer {
  /** Makes this person the recipient, as at every sign-in. */
  setUser(userId: string): void;
}

/** What browsers answer on a system without a time zone; the service knows no such zone. */
const UNKNOWN_ZONE = "Etc/Unknown";

export function createComposer(deps: ComposerDeps): Composer {
  const { send, onSent } = deps;
  const form = byId("send-form", HTMLFormElement);
  const examples = byId("examples", HTMLDivElement);
  const fields = {
    recipient: byId("recipient", HTMLInputElement),
    priority: byId("priority", HTMLSelectElement),
    strategy: byId("strategy", HTMLSelectElement),
    locale: byId("locale", HTMLSelectElement),
    phone: byId("phone", HTMLInputElement),
    data: byId("data", HTMLTextAreaElement),
  };
  const channelBoxes = [
    ...byId("channels", HTMLFieldSetElement).querySelectorAll<HTMLInputElement>("input"),
  ];
  const button = byId("send", HTMLButtonElement);
  const previewButton = byId("preview-open", HTMLButtonElement);
  let me = "";
  let chosen: Example = firstExample();

  function choose(example: Example): void {
    chosen = example;
    fields.recipient.value = example.recipient ?? me;
    fields.phone.value = example.phoneNumber ?? "";
    fields.priority.value = "";
    fields.data.value = JSON.stringify(example.data(Date.now()), null, 2);
    for (const box of channelBoxes) {
      box.checked = example.channels.some((channel) => channel === box.value);
    }
    showError(undefined);
    nameButton();
  }

  function nameButton(): void {
    const to = fields.recipient.value.trim();
    button.textContent = to === me ? "Send to me" : `Send to ${to}`;
  }

  function buildRequest(): Record<string, unknown> | string {
    const data = parseObject(fields.data.value);
    if (data === undefined) return "The content is not a JSON object.";
    const channels = channelBoxes.filter((box) => box.checked).map((box) => box.value);
    if (channels.length === 0) return "Choose at least one channel.";
    const optional = {
      priority: fields.priority.value,
      locale: fields.locale.value,
      phone_number: fields.phone.value.replaceAll(/[\s()-]/g, ""),
      timezone: timeZone(),
    };
    return {
      user_id: fields.recipient.value.trim(),
      template_id: chosen.templateId,
      channels,
      strategy: fields.strategy.value,
      data,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== "")),
    };
  }

  async function submit(): Promise<void> {
    const request = buildRequest();
    if (typeof request === "string") return showError(request);
    showError(undefined);
    button.disabled = true;
    const { title } = chosen;
    const recipient = fields.recipient.value.trim();
    const result = await send(request);
    button.disabled = false;
    button.focus({ preventScroll: true });
    if (result.ok) onSent(result.value, title, recipient === me ? undefined : recipient);
    else showError([result.message, ...result.issues].join(" · "));
  }

  async function showPreview(): Promise<void> {
    const request = buildRequest();
    if (typeof request === "string") return showError(request);
    showError(undefined);
    previewButton.disabled = true;
    const { data, timezone } = request;
    const result = await deps.preview(chosen.templateId, { data, timezone });
    previewButton.disabled = false;
    // A dialog that closes gives the focus back to where it was.
    previewButton.focus({ preventScroll: true });
    if (!result.ok) return showError([result.message, ...result.issues].join(" · "));
    deps.onPreview(result.value, {
      channels: channelBoxes.filter((box) => box.checked).map((box) => box.value),
      priority: fields.priority.value,
      locale: fields.locale.value,
    });
  }

  examples.append(...EXAMPLES.map((example) => exampleCard(example, () => choose(example))));
  fields.recipient.addEventListener("input", nameButton);
  previewButton.addEventListener("click", () => void showPreview());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!button.disabled) void submit();
  });

  return {
    setUser(userId) {
      me = userId;
      form.reset();
      const [radio] = examples.querySelectorAll<HTMLInputElement>("input");
      if (radio !== undefined) radio.checked = true;
      choose(firstExample());
    },
  };
}

function firstExample(): Example {
  const [first] = EXAMPLES;
  if (first === undefined) throw new Error("there is no example to send");
  return first;
}

/** The examples' times are of this zone, so the message shows them in it. Empty if unknown. */
function timeZone(): string {
  const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions();
  return zone === UNKNOWN_ZONE ? "" : zone;
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function exampleCard(example: Example, onChoose: () => void): HTMLLabelElement {
  const radio = element("input", {
    attributes: {
      type: "radio",
      name: "example",
      value: example.id,
      "aria-labelledby": `title-${example.id}`,
      "aria-describedby": `hint-${example.id}`,
    },
  });
  radio.addEventListener("change", onChoose);
  return element("label", { class: "example" }, [
    radio,
    element("span", { class: "example-title" }, [
      element("strong", { text: example.title, attributes: { id: `title-${example.id}` } }),
      element("span", {
        class: `tag priority-${example.priority}`,
        text: PRIORITY_NAMES[example.priority],
      }),
    ]),
    element("span", {
      class: "hint",
      text: example.hint,
      attributes: { id: `hint-${example.id}` },
    }),
  ]);
}

function showError(message: string | undefined): void {
  const line = byId("send-error", HTMLParagraphElement);
  line.hidden = message === undefined;
  line.textContent = message ?? "";
}
