/** Writes `.env.example` from the configuration schema, so that the two cannot drift apart. */
import { z } from "zod";
import { CONFIG_GROUPS } from "../../src/platform/config-schema.ts";

const HEAD = `# Configuration of Schoolbell. Copy this file to .env, remove the # in front of what you change.
# Each line shows the default; an empty value means that it is not set.
# npm run --silent keys >> .env adds the secrets. npm start needs none of this.
`;

export function renderEnvExample(): string {
  const groups = Object.entries(CONFIG_GROUPS).map(([group, variables]) => {
    const lines = Object.entries(variables).flatMap(([name, schema]) => [
      `# ${schema.description ?? ""}`,
      `#${name}=${defaultOf(schema)}`,
    ]);
    return [`## ${group}`, ...lines, ""].join("\n");
  });
  return [HEAD, ...groups].join("\n");
}

/** The default in the form in which a person would write it. */
function defaultOf(schema: z.ZodType): string {
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return "";
  const value: unknown = schema.def.defaultValue;
  return Array.isArray(value) ? value.join(",") : String(value);
}
