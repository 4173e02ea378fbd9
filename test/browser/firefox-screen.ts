/** The notifications that Firefox has on the screen: reads and clicks them as a person would. */
import type { Browser } from "puppeteer-core";
import { z } from "zod";

export interface Alert {
  readonly title: string;
  readonly text: string;
  readonly direction: string;
  readonly language: string;
  readonly hasIcon: boolean;
}

export interface Screen {
  alerts(): Promise<Alert[]>;
  /** Clicks the one with this text. @throws Error if it is not there. */
  click(text: string): Promise<void>;
}

const ALERT_WINDOW = "chrome://global/content/alerts/alert.xhtml";

/** Expressions are text because they are evaluated by Firefox, in the window of an alert. */
const READ_ALERT = `JSON.stringify({
  title: document.getElementById("alertTitleLabel").getAttribute("value") ?? "",
  text: document.getElementById("alertTextLabel").textContent,
  direction: document.documentElement.style.direction,
  language: document.getElementById("alertTextLabel").getAttribute("lang") ?? "",
  hasIcon: document.getElementById("alertBox").hasAttribute("hasImage"),
})`;
const CLICK_ALERT = 'document.getElementById("alertTextBox").click()';

const alertSchema = z.object({
  title: z.string(),
  text: z.string(),
  direction: z.string(),
  language: z.string(),
  hasIcon: z.boolean(),
});

/** Puppeteer speaks this protocol, but offers no way to the program's own windows. */
const bidiSchema = z.object({
  connection: z.custom<{ send(method: string, params: object): Promise<unknown> }>(
    (value) => typeof value === "object" && value !== null && "send" in value,
  ),
});
const treeSchema = z.object({
  result: z.object({ contexts: z.array(z.object({ context: z.string(), url: z.string() })) }),
});
const evaluatedSchema = z.object({
  result: z.discriminatedUnion("type", [
    z.object({ type: z.literal("success"), result: z.object({ value: z.string().optional() }) }),
    z.object({ type: z.literal("exception") }),
  ]),
});

/** @param browser the one that runs now; it may have been started anew. */
export function reachScreen(browser: () => Browser): Screen {
  async function send(method: string, params: object): Promise<unknown> {
    return await bidiSchema.parse(browser()).connection.send(method, params);
  }

  async function windows(): Promise<string[]> {
    const tree = treeSchema.parse(await send("browsingContext.getTree", { "moz:scope": "chrome" }));
    return tree.result.contexts.flatMap(({ context, url }) =>
      url === ALERT_WINDOW ? [context] : [],
    );
  }

  async function evaluate(context: string, expression: string): Promise<string | undefined> {
    const answer = await send("script.evaluate", {
      expression,
      target: { context },
      awaitPromise: false,
    });
    const { result } = evaluatedSchema.parse(answer);
    return result.type === "success" ? result.result.value : undefined;
  }

  /** One that is still being drawn, or was closed meanwhile, is not there. */
  async function read(context: string): Promise<{ context: string; alert: Alert }[]> {
    const text = await evaluate(context, READ_ALERT).catch(() => undefined);
    if (text === undefined) return [];
    const alert = alertSchema.parse(JSON.parse(text));
    return alert.title === "" ? [] : [{ context, alert }];
  }

  async function readAll(): Promise<{ context: string; alert: Alert }[]> {
    const all = await Promise.all((await windows()).map(read));
    return all.flat();
  }

  return {
    async alerts() {
      return (await readAll()).map(({ alert }) => alert);
    },
    async click(text) {
      const found = (await readAll()).find(({ alert }) => alert.text === text);
      if (found === undefined) throw new Error(`no notification "${text}" is on the screen`);
      await evaluate(found.context, CLICK_ALERT);
    },
  };
}
