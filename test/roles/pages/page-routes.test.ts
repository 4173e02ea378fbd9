/** What browsers are served: everything the page names, nothing from elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpApp } from "../../../src/http/app.ts";
import { listen, type HttpServer } from "../../../src/http/server.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { bundleBrowser } from "../../../src/roles/pages/bundle.ts";
import { landingRoutes, pageRoutes } from "../../../src/roles/pages/page-routes.ts";

let server: HttpServer;
let url: string;

beforeAll(async () => {
  const assets = await bundleBrowser();
  const app = createHttpApp({
    routes: [...pageRoutes(assets), ...landingRoutes(assets)],
    verifier: { verify: () => Promise.reject(new Error("no route here asks for a token")) },
    rateLimiter: { take: () => Promise.resolve(undefined) },
    failedLogins: { record: () => undefined, blockedForSeconds: () => 0 },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: createMetrics(),
    trustProxy: 0,
    corsOrigins: [],
  });
  server = await listen(app, { host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close(1_000);
});

describe("the page's files", () => {
  it.each([
    ["/", "text/html; charset=utf-8"],
    ["/app.js", "text/javascript; charset=utf-8"],
    ["/sw.js", "text/javascript; charset=utf-8"],
    ["/style.css", "text/css; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
    ["/icon.png", "image/png"],
    ["/favicon.ico", "image/png"],
    ["/iep/iep-1", "text/html; charset=utf-8"],
    ["/batches/b-1/authors", "text/html; charset=utf-8"],
  ])("serves %s as %s, asked for anew each time", async (path, type) => {
    const answer = await fetch(url + path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
  });

  it("lets the service worker serve the whole site", async () => {
    const answer = await fetch(`${url}/sw.js`);
    expect(answer.headers.get("service-worker-allowed")).toBe("/");
  });

  it("has an icon that browsers can draw in a notification", async () => {
    const answer = await fetch(`${url}/icon.png`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  });

  it("needs nothing from elsewhere and nothing inline", async () => {
    const html = await (await fetch(url)).text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses).not.toEqual([]);
    for (const address of addresses) expect(address).toMatch(/^(\/|#)(?!\/)/);
    expect(html).not.toMatch(/ style=| on\w+=|<style|<script(?! src=)/);
    const style = await (await fetch(`${url}/style.css`)).text();
    expect(style).not.toMatch(/@import|url\(/);
  });
});
