/** Writes `.env.example` from the configuration schema, so that the two cannot drift apart. */
import { defaultOf, wrap } from "../../src/platform/config-help.ts";
import { CONFIG_GROUPS } from "../../src/platform/config-schema.ts";

const WIDTH = 100;

const HEAD = `# Configuration of Schoolbell. Copy this file to .env, remove the # in front of what you change.
# Each line shows the default; an empty value means that it is not set.
# npm run --silent keys >> .env adds the secrets. npm start needs none of this.
`;

export function renderEnvExample(): string {
  const groups = Object.entries(CONFIG_GROUPS).map(([group, variables]) => {
    const lines = Object.entries(variables).flatMap(([name, schema]) => [
      ...wrap(schema.description ?? "", WIDTH - 2).map((line) => `# ${line}`),
      `#${name}=${defaultOf(schema)?.join(",") ?? ""}`,
    ]);
    return [`## ${group}`, ...lines, ""].join("\n");
  });
  return [HEAD, ...groups].join("\n");
}
