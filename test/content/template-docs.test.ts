/** docs/TEMPLATES.md: what a sender has to know about each template. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Template } from "../../src/content/template.ts";
import { renderTemplateDocs } from "../support/template-docs.ts";
import { templates, TEMPLATES_DIR } from "./fixtures.ts";

/** The comment at the head of the template's file. */
function purposeOf({ family, id }: Template): string {
  const lines = readFileSync(join(TEMPLATES_DIR, family, `${id}.yaml`), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("# "));
  return lines
    .slice(0, end)
    .map((line) => line.slice(2))
    .join(" ");
}

const page = renderTemplateDocs(templates.list(), purposeOf);

describe("docs/TEMPLATES.md", () => {
  it("is what the templates say (vitest run -u writes it anew)", async () => {
    await expect(page).toMatchFileSnapshot("../../docs/TEMPLATES.md");
  });

  it("says of every template when it is used, and of every field whether it is needed", () => {
    for (const template of templates.list()) {
      expect(purposeOf(template), template.id).toMatch(/^[A-Z].+\.$/);
      const section = page.split(`## ${template.id}\n`)[1]?.split("\n## ")[0] ?? "";
      for (const name of Object.keys(template.dataSchema.properties)) {
        const need = template.dataSchema.required.includes(name) ? "required" : "optional";
        expect(section).toMatch(new RegExp(`^\\| \`${name}\` +\\| ${need} \\|`, "m"));
      }
    }
  });

  it("marks as public what is public and nothing else", () => {
    const marked = [...page.matchAll(/^\| `(\w+)` .*\| public \|$/gm)].flatMap(([, name = ""]) => [
      name,
    ]);
    const meant = templates.list().flatMap(({ publicFields }) => [...publicFields]);
    expect(marked.sort()).toEqual(meant.sort());
  });
});
