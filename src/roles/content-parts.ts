/** Templates and texts, read once at start: a mistake in them stops the process with its place. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { loadLocales, type Locales } from "../content/locales.ts";
import { loadTemplates, type TemplateRegistry } from "../content/registry.ts";
import { createRenderer, type Renderer } from "../content/render.ts";
import type { Config } from "../platform/config-schema.ts";
import { ConfigError } from "../platform/config.ts";
import { sha256Hex } from "../platform/keyspace.ts";
import type { Sealing } from "../platform/sealing.ts";
import { version } from "./version.ts";

const ABILITY_CHARACTERS = 16;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ContentParts {
  readonly templates: TemplateRegistry;
  readonly locales: Locales;
  readonly renderer: Renderer;
}

/** @throws ConfigError that names the file and what is wrong in it. */
export function loadContent(config: Config): ContentParts {
  try {
    return readContent(config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const own = (["TEMPLATES_DIR", "LOCALES_DIR"] as const)
      .filter((name) => config[name] !== undefined)
      .map((name) => `${name}=${config[name]}`);
    const named = own.length === 0 ? "" : ` (${own.join(", ")})`;
    throw new ConfigError(`The templates or texts cannot be used${named}: ${reason}`);
  }
}

/**
 * A digest of what decides which notes this process can put into words: its version, the templates it
 * knows, the keys it can open what is stored with.
 */
export function abilitiesOf({ templates }: ContentParts, sealing: Pick<Sealing, "keyIds">): string {
  const ids = templates.list().map(({ id }) => id);
  const text = JSON.stringify([version, ids.toSorted(), sealing.keyIds.toSorted()]);
  return sha256Hex(text).slice(0, ABILITY_CHARACTERS);
}

function readContent(config: Config): ContentParts {
  const templates = loadTemplates({
    dir: path.join(ROOT, "templates"),
    extraDir: config.TEMPLATES_DIR,
  });
  const locales = loadLocales({ dir: path.join(ROOT, "locales"), extraDir: config.LOCALES_DIR });
  const renderer = createRenderer({ locales, defaultLocale: config.DEFAULT_LOCALE });
  return { templates, locales, renderer };
}
