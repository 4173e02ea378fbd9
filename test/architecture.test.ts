/** Holds the source to its rules: imports run along the table of rooms, files stay readable. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  findForbiddenImports,
  findFormFaults,
  importsOf,
  type SourceFile,
} from "./support/architecture-rules.ts";

function readTree(folder: URL): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return {
        name: path.relative(folder.pathname, file).split(path.sep).join("/"),
        text: readFileSync(file, "utf8"),
      };
    });
}

const source = readTree(new URL("../src/", import.meta.url));
const tests = readTree(new URL("./", import.meta.url));

function importing(name: string, target: string): string[] {
  return findForbiddenImports({ name, text: `import { x } from "${target}";\n` });
}

describe("the source", () => {
  it("was found", () => {
    expect(source.map((file) => file.name)).toContain("platform/clock.ts");
  });

  it("imports only what the table of rooms allows", () => {
    expect(source.flatMap(findForbiddenImports)).toEqual([]);
  });

  it("has files that are short, say what they are for, and are well named", () => {
    expect(source.flatMap(findFormFaults)).toEqual([]);
  });

  it("has tests of the same form", () => {
    const configuration = "vitest.config.ts";
    expect(tests.filter((file) => file.name !== configuration).flatMap(findFormFaults)).toEqual([]);
  });
});

/** Every file that `names` reach by their imports, themselves included. */
function reachedFrom(names: readonly string[]): string[] {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    const file = source.find((each) => each.name === name);
    if (file === undefined || reached.has(name)) return;
    reached.add(name);
    for (const specifier of importsOf(file.text)) {
      if (specifier.startsWith(".")) visit(path.posix.join(path.posix.dirname(name), specifier));
    }
  };
  names.forEach(visit);
  return [...reached];
}

describe("domain events", () => {
  const routers = source
    .map(({ name }) => name)
    .filter((name) => /^(gateway|delivery|queue|channels|tracking)\//.test(name));

  it("are unknown to the gateway and the worker, in all that they reach", () => {
    const reached = reachedFrom(["roles/gateway.ts", "roles/worker.ts", ...routers]);
    expect(reached).toContain("gateway/hub.ts");
    expect(reached).toContain("delivery/websocket-stage.ts");
    expect(reached.filter((name) => name.startsWith("projectors/"))).toEqual([]);
  });

  it("are known to the projector role", () => {
    expect(reachedFrom(["roles/projector.ts"])).toContain("projectors/event-table.ts");
  });
});

describe("the import rule", () => {
  it.each([
    ["gateway/hub.ts", "../content/templates.ts"],
    ["gateway/hub.ts", "../http/route.ts"],
    ["channels/push/channel.ts", "../../delivery/settle.ts"],
    ["queue/lanes.ts", "../roles/worker.ts"],
    ["cli/token.ts", "../roles/api.ts"],
    ["contract/frames.ts", "../platform/clock.ts"],
    ["browser/client.ts", "../platform/clock.ts"],
    ["platform/redis.ts", "../tracking/notes.ts"],
    ["main.ts", "./queue/lanes.ts"],
    ["gateway/routes.ts", "../content/templates.ts"],
    ["attic/old.ts", "./older.ts"],
  ])("refuses %s importing %s", (name, target) => {
    expect(importing(name, target)).toHaveLength(1);
  });

  it.each([
    ["gateway/hub.ts", "../tracking/history.ts"],
    ["gateway/routes.ts", "../http/route.ts"],
    ["tracking/report-routes.ts", "../auth/scopes.ts"],
    ["channels/push/channel.ts", "../channel.ts"],
    ["channels/push/channel.ts", "web-push"],
    ["roles/api.ts", "../ingest/accept.ts"],
    ["browser/client.ts", "../contract/frames.ts"],
    ["main.ts", "./roles/api.ts"],
  ])("lets %s import %s", (name, target) => {
    expect(importing(name, target)).toEqual([]);
  });

  it("sees every way to name a module", () => {
    const text = [
      'import a from "./a.ts";',
      "import {\n  b,\n  type B,\n} from './b.ts';",
      'import "./c.ts";',
      'export { d } from "./d.ts";',
      'export * from "./e.ts";',
      'import type { F } from "./f.ts";',
      'const g = await import("./g.ts");',
      'export const notOne = "./h.ts";',
    ].join("\n");
    expect(importsOf(text).sort()).toEqual(
      ["a", "b", "c", "d", "e", "f", "g"].map((name) => `./${name}.ts`),
    );
  });
});

describe("the form rule", () => {
  const head = "/** What it is for. */\n";

  it.each([
    ["too many lines", "queue/lanes.ts", head + "x;\n".repeat(300)],
    ["no comment at the head", "queue/lanes.ts", "export const x = 1;\n"],
    ["a vague name", "queue/date-utils.ts", head],
    ["a vague folder", "common/dates.ts", head],
    ["capitals in its name", "queue/dueIndex.ts", head],
    ["a default export", "queue/lanes.ts", `${head}export default 1;\n`],
    ["a client made on import", "queue/lanes.ts", `${head}const redis = new Redis(url);\n`],
    ["an exported client", "queue/lanes.ts", `${head}export const r = connectRedis(url, "x");\n`],
  ])("finds %s", (_what, name, text) => {
    expect(findFormFaults({ name, text })).toHaveLength(1);
  });

  it("has nothing to say against a good file", () => {
    const text = `${head}export function open() {\n  const redis = new Redis(url);\n}\n`;
    expect(findFormFaults({ name: "queue/lanes.ts", text })).toEqual([]);
  });
});
