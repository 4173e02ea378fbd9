/** Bundles the try-out page and the service worker in memory, so that nothing has to be built first. */
import { readFile } from "node:fs/promises";
import { build, stop } from "esbuild";

const BROWSER_DIR = new URL("../../browser/", import.meta.url);

/** What the browser is given, by file name. */
export interface BrowserAssets {
  readonly "index.html": string;
  readonly "style.css": string;
  readonly "app.js": string;
  readonly "sw.js": string;
  readonly "icon.svg": string;
  readonly "icon.png": Buffer;
}

function pageFile(name: string): URL {
  return new URL(`page/${name}`, BROWSER_DIR);
}

/** One script of everything `entry` imports; a classic script, since not all browsers take module workers. */
async function bundleScript(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [new URL(entry, BROWSER_DIR).pathname],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
    // The root configuration is for Node; esbuild needs nothing of it.
    tsconfigRaw: {},
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild returned nothing for ${entry}`);
  return output.text;
}

/**
 * Reads and bundles everything under `src/browser`. Takes some tens of milliseconds.
 * @throws when a source file does not compile: a bug, so the start fails with esbuild's message.
 */
export async function bundleBrowser(): Promise<BrowserAssets> {
  try {
    const [html, style, app, worker, icon, picture] = await Promise.all([
      readFile(pageFile("index.html"), "utf8"),
      readFile(pageFile("style.css"), "utf8"),
      bundleScript("page/app.ts"),
      bundleScript("worker/sw.ts"),
      readFile(pageFile("icon.svg"), "utf8"),
      readFile(pageFile("icon.png")),
    ]);
    return {
      "index.html": html,
      "style.css": style,
      "app.js": app,
      "sw.js": worker,
      "icon.svg": icon,
      "icon.png": picture,
    };
  } finally {
    // esbuild keeps a process of its own for further builds; there are none.
    await stop();
  }
}
