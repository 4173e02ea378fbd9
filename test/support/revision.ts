/** Another revision of the product, to run beside this one. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WrongUseError } from "./measuring-command.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const REVISIONS = path.join(ROOT, ".cache", "revisions");
/** The whole of it but the tests, which a run of ours would take for its own. */
const PARTS = [".", ":(exclude)test"];
const NAME_CHARACTERS = 12;

const run = promisify(execFile);

/**
 * Puts a revision with its dependencies into a folder of the cache, once.
 * @param revision whatever git understands: a tag, a branch, `HEAD~1`
 * @returns the folder to start its `src/main.ts` in
 * @throws WrongUseError if git does not know it
 * @throws Error if its dependencies cannot be had
 */
export async function prepareRevision(revision: string): Promise<string> {
  const commit = await commitOf(revision);
  const dir = path.join(REVISIONS, commit.slice(0, NAME_CHARACTERS));
  if (existsSync(dir)) return dir;
  await mkdir(REVISIONS, { recursive: true });
  // Under its name only once it is whole.
  const draft = await mkdtemp(path.join(REVISIONS, "draft-"));
  try {
    const archive = path.join(draft, "revision.tar");
    await run("git", ["archive", "--output", archive, commit, "--", ...PARTS], { cwd: ROOT });
    await run("tar", ["--extract", "--file", archive, "--directory", draft]);
    await rm(archive);
    await addDependencies(draft);
    await rename(draft, dir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return dir;
}

async function commitOf(revision: string): Promise<string> {
  try {
    const asked = ["rev-parse", "--verify", "--end-of-options", `${revision}^{commit}`];
    return (await run("git", asked, { cwd: ROOT })).stdout.trim();
  } catch (error) {
    throw new WrongUseError(`git knows no revision "${revision}"`, { cause: error });
  }
}

async function addDependencies(dir: string): Promise<void> {
  const [theirs, ours] = await Promise.all(
    [dir, ROOT].map((root) => readFile(path.join(root, "package-lock.json"), "utf8")),
  );
  if (theirs === ours) {
    await symlink(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    return;
  }
  await run("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: dir });
}
