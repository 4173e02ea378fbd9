/** The pages under `/docs`: Swagger UI, served from this process alone, and the list of error codes. */
import { readFile } from "node:fs/promises";
import { PROBLEMS, type ProblemCode } from "../platform/problems.ts";
import { PROBLEM_GUIDE } from "./problem-guide.ts";
import { publicRoute, type Route } from "./route.ts";

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

/** Swagger UI's files, by the name under which they are served. */
const SWAGGER_FILES = [
  { name: "swagger-ui.css", type: CSS },
  { name: "swagger-ui-bundle.js", type: JAVASCRIPT },
] as const;

/** The files change only with a new version of the package. */
const ONE_HOUR = "public, max-age=3600";

/** A file of its own, because pages may hold no inline script. No validator elsewhere is asked. */
const START_SCRIPT = `window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "list",
    validatorUrl: null,
  });
});
`;

const STYLE = `:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; }
a { color: light-dark(#0b57a4, #8ab8ff); }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.6rem 0.8rem; text-align: start; vertical-align: top; }
th { border-bottom: 2px solid light-dark(#666, #999); }
td { border-bottom: 1px solid light-dark(#ccc, #555); }
tr:target { background: light-dark(#fff3c4, #4a4100); }
code { font-family: ui-monospace, monospace; }
.scroll { overflow-x: auto; }
/* Five columns do not fit a phone: each code becomes a block of labelled lines. */
@media (max-width: 600px) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; }
  tr { padding-block: 0.8rem; border-bottom: 1px solid light-dark(#ccc, #555); }
  td { padding: 0.15rem 0; border: 0; overflow-wrap: anywhere; }
  td::before { color: light-dark(#555, #aaa); }
  td:nth-child(2)::before { content: "Status: "; }
  td:nth-child(3)::before { content: "Retry helps: "; }
  td:nth-child(4)::before { content: "Meaning: "; }
  td:nth-child(5)::before { content: "What to do: "; }
}
`;

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

const SWAGGER_PAGE = page(
  "Schoolbell API",
  `<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>`,
  `<noscript>This page needs JavaScript. The same description is at
<a href="/openapi.json">/openapi.json</a>, the error codes at <a href="/docs/errors">/docs/errors</a>.</noscript>
<div id="swagger-ui"></div>`,
);

/** Our own texts hold `code` in backquotes and no markup. */
function prose(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function errorRow(code: ProblemCode): string {
  const { status, title, retryable } = PROBLEMS[code];
  const { meaning, remedy } = PROBLEM_GUIDE[code];
  return `<tr id="${code}"><td><a href="#${code}"><code>${code}</code></a></td><td>${status}</td>
<td>${retryable ? "yes" : "no"}</td><td><strong>${prose(title)}.</strong> ${prose(meaning)}</td><td>${prose(remedy)}</td></tr>`;
}

function errorPage(): string {
  const codes = Object.keys(PROBLEMS) as ProblemCode[]; // keys of a const object
  return page(
    "Schoolbell error codes",
    `<link rel="stylesheet" href="/docs/errors.css">`,
    `<main>
<h1>Error codes</h1>
<p>Every refusal is a problem document (<code>application/problem+json</code>, RFC 9457). Programs
should look at <code>code</code>; <code>detail</code> and <code>errors</code> are for people. The
<code>request_id</code> finds the request in the logs. Back to the <a href="/docs">API</a>.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Retry helps</th>
<th scope="col">Meaning</th><th scope="col">What to do</th></tr></thead>
<tbody>
${codes.map(errorRow).join("\n")}
</tbody></table></div>
</main>`,
  );
}

/** `/docs`, `/docs/errors` and the files they need. */
export function docsRoutes(): Route[] {
  const errors = errorPage();
  return [
    fileRoute("/docs", "The API, to read and try", HTML, () => SWAGGER_PAGE),
    fileRoute("/docs/start.js", "Starts Swagger UI", JAVASCRIPT, () => START_SCRIPT),
    fileRoute("/docs/errors", "Every error code", HTML, () => errors),
    fileRoute("/docs/errors.css", "Style of the error codes", CSS, () => STYLE),
    ...SWAGGER_FILES.map(({ name, type }) => {
      const file = new URL(import.meta.resolve(`swagger-ui-dist/${name}`));
      return fileRoute(`/docs/${name}`, "Part of Swagger UI", type, () => readFile(file), ONE_HOUR);
    }),
  ];
}

function fileRoute(
  path: string,
  summary: string,
  type: string,
  content: () => string | Promise<Buffer>,
  cacheControl = "no-cache",
): Route {
  return publicRoute({
    method: "get",
    path,
    summary,
    tag: "documentation",
    rateLimit: "none",
    documented: false,
    responses: { 200: { description: summary } },
    problems: [],
    async handle() {
      return {
        status: 200,
        body: await content(),
        type,
        headers: { "Cache-Control": cacheControl },
      };
    },
  });
}
