/** The whole product as a process of its own, started as a user starts it: one that can be killed. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildProduct {
  readonly pid: number;
  readonly url: string;
  readonly webSocketUrl: string;
  /** SIGKILL: no goodbye. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with its exit code. */
  stop(): Promise<number | null>;
  /** What it has written to stderr, to be shown when a test fails. */
  log(): string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BANNER = /Schoolbell is running \([^)]*\) at http:\/\/[^:\s]+:(\d+)/;
/** The end of the log is where the reason is. */
const LOG_CHARACTERS = 8_192;

/** Starts `node src/main.ts` with these variables only; resolves when it says that it runs. */
export async function startChildProduct(
  env: Readonly<Record<string, string>>,
): Promise<ChildProduct> {
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: ROOT,
    // Halves the time to start, from the second run on.
    env: { NODE_COMPILE_CACHE: `${ROOT}.cache/compile`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  // A test run that ends early leaves nothing behind.
  const orphanGuard = (): void => void child.kill("SIGKILL");
  process.once("exit", orphanGuard);
  child.once("exit", () => process.off("exit", orphanGuard));

  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-LOG_CHARACTERS);
  });
  const port = await new Promise<string>((resolve, reject) => {
    let screen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      screen += text;
      const found = BANNER.exec(screen)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`it ended with ${code} at start: ${log}`)));
  });

  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    webSocketUrl: `ws://127.0.0.1:${port}`,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
    async stop() {
      child.kill("SIGTERM");
      return await exit;
    },
    log: () => log,
  };
}
