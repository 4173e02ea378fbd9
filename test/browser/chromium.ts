/** A real browser with a profile of its own, since Chromium has no push in private windows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { findChromium } from "../support/chromium.ts";

/** What only means that the machine is busy is waited for; a hang is not. */
const ACTION_TIMEOUT_MS = 10_000;

export interface Browser {
  readonly context: BrowserContext;
  /** Errors of pages and refused resources; a test expects none. */
  readonly errors: string[];
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

export async function openBrowser(
  options: { origin?: string; width?: number; height?: number; dark?: boolean } = {},
): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("there is no Chromium on this machine");
  const profile = await mkdtemp(join(tmpdir(), "schoolbell-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.dark === true ? "dark" : "light",
    locale: "en-GB",
    // Away from UTC, where forgetting the zone would not be noticed.
    timezoneId: "America/New_York",
  });
  context.setDefaultTimeout(ACTION_TIMEOUT_MS);
  if (options.origin !== undefined) {
    await context.grantPermissions(["notifications"], { origin: options.origin });
  }
  const errors: string[] = [];
  return {
    context,
    errors,
    async open(url) {
      const page = await context.newPage();
      page.on("pageerror", (error) => void errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
