/** Serves the try-out page, its style and scripts, and the service worker. */
import { publicRoute, type Route } from "../../http/route.ts";
import type { BrowserAssets } from "./bundle.ts";

interface Page {
  readonly path: string;
  readonly asset: keyof BrowserAssets;
  readonly type: string;
  readonly summary: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PAGES: readonly Page[] = [
  { path: "/", asset: "index.html", type: "text/html; charset=utf-8", summary: "Try-out page" },
  { path: "/style.css", asset: "style.css", type: "text/css; charset=utf-8", summary: "Its style" },
  {
    path: "/app.js",
    asset: "app.js",
    type: "text/javascript; charset=utf-8",
    summary: "Its script",
  },
  {
    path: "/sw.js",
    asset: "sw.js",
    type: "text/javascript; charset=utf-8",
    summary: "Service worker",
    headers: { "Service-Worker-Allowed": "/" },
  },
  { path: "/icon.svg", asset: "icon.svg", type: "image/svg+xml", summary: "Icon" },
  // Asked for on pages that name no icon, such as the API's documentation.
  { path: "/favicon.ico", asset: "icon.png", type: "image/png", summary: "Icon of the site" },
  { path: "/icon.png", asset: "icon.png", type: "image/png", summary: "Icon of notifications" },
];

/** Where the links of the built-in templates lead. */
const LANDING_PATHS = ["/iep", "/iep/*rest", "/classes/*rest", "/batches/*rest"];

function pageRoute({ path, asset, type, summary, headers }: Page, assets: BrowserAssets): Route {
  return publicRoute({
    method: "get",
    path,
    summary,
    tag: "Pages",
    rateLimit: "none",
    documented: false,
    responses: { 200: { description: summary } },
    problems: [],
    handle: () => ({
      status: 200,
      type,
      body: assets[asset],
      // Asked for again each time, so that an update shows at once.
      headers: { "Cache-Control": "no-cache", ...headers },
    }),
  });
}

/** One public GET route per asset. */
export function pageRoutes(assets: BrowserAssets): Route[] {
  return PAGES.map((page) => pageRoute(page, assets));
}

/**
 * For development, where no application stands behind the links of notifications: a click on one
 * leads to the try-out page, which says so, instead of to a 404.
 */
export function landingRoutes(assets: BrowserAssets): Route[] {
  return LANDING_PATHS.map((path) =>
    pageRoute(
      { path, asset: "index.html", type: "text/html; charset=utf-8", summary: "Stand-in page" },
      assets,
    ),
  );
}
