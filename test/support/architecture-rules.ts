/** The rules on how the source may be put together, as functions over a file's path and text. */
import path from "node:path";

const ALL_BUT_ROLES_AND_CLI =
  "ingest projectors queue delivery content channels gateway tracking http auth browser".split(" ");

/** Which rooms a room's files may import, besides their own, `platform` and `contract`. */
const ROOM_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  roles: ["cli", ...ALL_BUT_ROLES_AND_CLI],
  cli: ALL_BUT_ROLES_AND_CLI,
  ingest: ["queue", "content", "tracking", "auth"],
  projectors: [],
  delivery: ["queue", "content", "channels", "tracking"],
  gateway: ["tracking", "auth"],
  queue: [],
  content: [],
  channels: [],
  tracking: [],
  http: [],
  auth: [],
  browser: [],
  platform: [],
  contract: [],
};

/** HTTP handlers live in the room whose data they serve. */
const ROUTES_FILE = /(^|\/|-)routes\.ts$/;
const ROUTES_IMPORTS = ["http", "auth"];
const MAIN_IMPORTS = ["roles", "platform", "contract"];
const SHARED_ROOMS = ["platform", "contract"];

const MAX_LINES = 300;
const VAGUE_NAME = /(^|[-/])(utils?|helpers?|common|manager)([-./]|$)/;

export interface SourceFile {
  /** Relative to `src`, with forward slashes: `gateway/hub.ts`. */
  readonly name: string;
  readonly text: string;
}

/** @returns one sentence for each import that the table of rooms does not allow. */
export function findForbiddenImports(file: SourceFile): string[] {
  const room = roomOf(file.name);
  const allowed = allowedRooms(file.name);
  if (allowed === undefined) return [`${file.name}: there is no room called ${room}`];
  return importsOf(file.text)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => path.posix.join(path.posix.dirname(file.name), specifier))
    .filter((target) => !allowed.includes(roomOf(target)))
    .map((target) => `${file.name} may not import ${target}`);
}

/** @returns one sentence for each thing about the file itself that is not as agreed. */
export function findFormFaults(file: SourceFile): string[] {
  const faults: string[] = [];
  const lines = file.text.split("\n");
  // The last line ends with a newline, which is not one more line.
  const length = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  if (length > MAX_LINES) faults.push(`${file.name} has ${length} lines; ${MAX_LINES} are allowed`);
  if (!/^\/\*\*(\n \*)? \S/.test(file.text)) {
    faults.push(`${file.name} does not begin with a comment that says what it is for`);
  }
  if (VAGUE_NAME.test(file.name)) faults.push(`${file.name} has a name that says nothing`);
  if (!/^[a-z0-9.\-/]+$/.test(file.name)) faults.push(`${file.name} is not in kebab-case`);
  if (/^export default\b/m.test(file.text)) faults.push(`${file.name} has a default export`);
  if (
    /^(?:export )?(?:const|let) .*=\s*(?:await )?(?:new Redis\(|connectRedis\()/m.test(file.text)
  ) {
    faults.push(`${file.name} opens a connection to Redis when it is imported`);
  }
  return faults;
}

/** Every module that the text names: imports, re-exports and dynamic imports. */
export function importsOf(text: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']\s*\)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap((match) => match[1] ?? []),
  );
}

/** `main.ts` stands alone at the top; it is its own room. */
function roomOf(name: string): string {
  return name.split("/")[0] ?? name;
}

function allowedRooms(name: string): readonly string[] | undefined {
  const room = roomOf(name);
  if (room === "main.ts") return MAIN_IMPORTS;
  const listed = ROOM_IMPORTS[room];
  if (listed === undefined) return undefined;
  if (room === "contract" || room === "browser") return [room, "contract"];
  const routes = ROUTES_FILE.test(name) ? ROUTES_IMPORTS : [];
  return [room, ...listed, ...routes, ...SHARED_ROOMS];
}
