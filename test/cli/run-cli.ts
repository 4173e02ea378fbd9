/** Runs a command of the command line as an operator would: a process, its output, its exit code. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Variables = Readonly<Record<string, string>>;

/**
 * @param name file in `src/cli`, without ending
 * @param env added to an environment that holds nothing of ours
 */
export async function runCli(
  name: string,
  args: readonly string[],
  env: Variables = {},
): Promise<CliResult> {
  return await runFile(`cli/${name}.ts`, args, env);
}

/** @param name file in `src` */
export async function runFile(
  name: string,
  args: readonly string[],
  env: Variables = {},
): Promise<CliResult> {
  const file = fileURLToPath(new URL(`../../src/${name}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}
