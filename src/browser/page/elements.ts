/** Builds and finds elements. Text only ever becomes text, so that no message can become markup. */

interface Options {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** `children` may hold `undefined` for parts that are absent. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options = {},
  children: readonly (Node | undefined)[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/**
 * The element of the page with this id.
 * @throws when the page and its script do not fit together: a bug.
 */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no fitting #${id}`);
  return found;
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** The time of day, with the full date as a tooltip. */
export function timeElement(instant: string): HTMLTimeElement {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return element("time", { text: instant });
  return element("time", {
    text: clockFormat.format(date),
    attributes: { datetime: instant, title: dayFormat.format(date) },
  });
}
