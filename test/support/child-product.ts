/** The whole product as a process of its own, started as a user starts it: one that can be killed. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildProduct {
  /** Its address, once it says that it runs. Rejects if it ends before. */
  readonly url: Promise<string>;
  /** Whether it is still the process that was started. */
  isRunning(): boolean;
  /** SIGKILL: no goodbye. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with its exit code. One that is frozen is thawed first. */
  stop(): Promise<number | null>;
  /** SIGSTOP: it keeps what it has open and does nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** What it has written to stderr, to be shown when a test fails. */
  log(): string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BANNER = /Schoolbell is running \([^)]*\) at http:\/\/[^:\s]+:(\d+)/;
/** The end of the log is where the reason is. */
const LOG_CHARACTERS = 8_192;

/**
 * Starts `node src/main.ts` with these variables only.
 * @param root of the project to start, where it is another than this one
 */
export function startChildProduct(
  env: Readonly<Record<string, string>>,
  root: string = ROOT,
): ChildProduct {
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    // Halves the time to start, from the second run on.
    env: { NODE_COMPILE_CACHE: `${ROOT}.cache/compile`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  // A test run that ends early leaves nothing behind; this ends a frozen one as well.
  const orphanGuard = (): void => void child.kill("SIGKILL");
  process.once("exit", orphanGuard);
  child.once("exit", () => process.off("exit", orphanGuard));

  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-LOG_CHARACTERS);
  });
  const url = new Promise<string>((resolve, reject) => {
    let screen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      screen += text;
      const found = BANNER.exec(screen)?.[1];
      if (found !== undefined) resolve(`http://127.0.0.1:${found}`);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`it ended with ${code} at start: ${log}`)));
  });

  // Who kills it at start need not wait for an address.
  url.catch(() => {});

  return {
    url,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
    async stop() {
      child.kill("SIGTERM");
      child.kill("SIGCONT");
      return await exit;
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    log: () => log,
  };
}
