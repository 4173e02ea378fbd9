/** A real Firefox, driven over WebDriver BiDi, whose push service is ours: no internet is needed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { findFirefox } from "../support/firefox.ts";
import { reachScreen, type Screen } from "./firefox-screen.ts";

/** What only means that the machine is busy is waited for; a hang is not. */
const ACTION_TIMEOUT_MS = 30_000;
/** The first start of a profile takes seconds, on a busy machine tens of them. */
const START_TIMEOUT_MS = 120_000;

/** How long Firefox waits before it connects to its push service again; doubled each time. */
const RECONNECT_MS = 50;

export interface Firefox {
  /** "firefox/140.1.0" */
  readonly version: string;
  open(url: string): Promise<Page>;
  /** Errors of pages; a test expects none. */
  readonly errors: string[];
  /** Addresses of all tabs, in no order to rely on. */
  tabs(): Promise<string[]>;
  /** Closes the tabs whose addresses begin so. */
  closeTabs(start: string): Promise<void>;
  /** What it shows outside its tabs. */
  readonly screen: Screen;
  /** Ends the program as a person does; its profile stays. */
  quit(): Promise<void>;
  /** Starts it again with the same profile. */
  start(): Promise<void>;
  /** Ends the program and throws its profile away. */
  close(): Promise<void>;
}

/** @param pushServerUrl where it keeps its connection for pushes. */
export async function openFirefox(pushServerUrl: string): Promise<Firefox> {
  const executablePath = findFirefox();
  if (executablePath === undefined) throw new Error("there is no Firefox on this machine");
  const profile = await mkdtemp(join(tmpdir(), "schoolbell-firefox-"));
  const launch = async (): Promise<Browser> =>
    await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      userDataDir: profile,
      timeout: START_TIMEOUT_MS,
      // Notifications are windows of the program itself, which it lets nobody see otherwise.
      args: ["--remote-allow-system-access"],
      extraPrefsFirefox: {
        "dom.push.serverURL": pushServerUrl,
        "dom.push.testing.allowInsecureServerURL": true,
        "dom.push.connection.enabled": true,
        "dom.push.retryBaseInterval": RECONNECT_MS,
        // As people have it, unlike automation: tabs come to the front, windows open only by a click.
        "focusmanager.testmode": false,
        "dom.disable_open_during_load": true,
        "permissions.default.desktop-notification": 1,
        // There is no desktop that could show them; Firefox then draws them itself.
        "alerts.useSystemBackend": false,
      },
    });
  let browser = await launch();
  const errors: string[] = [];
  return {
    version: await browser.version(),
    errors,
    async open(url) {
      const page = await browser.newPage();
      page.setDefaultTimeout(ACTION_TIMEOUT_MS);
      page.on("pageerror", (error) => void errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    async tabs() {
      const pages = await browser.pages();
      return pages.map((page) => page.url());
    },
    async closeTabs(start) {
      const pages = await browser.pages();
      const closing = pages.filter((page) => page.url().startsWith(start));
      await Promise.all(closing.map((page) => page.close()));
    },
    screen: reachScreen(() => browser),
    quit: () => browser.close(),
    async start() {
      browser = await launch();
    },
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
