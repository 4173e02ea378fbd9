/** Runs a server as a process of its own, as it runs in earnest, and ends it by its id. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Resources } from "../../src/platform/resources.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_DEADLINE_MS = 60_000;
/** Longer than the product's own deadline for stopping. */
const STOP_DEADLINE_MS = 15_000;
const URL_PATTERN = /https?:\/\/[\w.-]+:\d+/;

export interface ChildServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ChildServerOptions {
  /** Relative to the project. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** For Node itself, before the file. */
  readonly nodeOptions?: readonly string[];
  readonly resources: Resources;
}

/** @returns when the server has printed its address */
export async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), options.file], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], ...options.env },
    stdio: ["ignore", "pipe", "inherit"],
    // A process group of its own: Ctrl-C is for the bench, which then stops it in good order.
    detached: true,
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.on("exit", kill);
  const stop = async (): Promise<void> => {
    await end(child);
    process.off("exit", kill);
  };
  options.resources.add(options.file, stop);
  const url = await addressOf(child, options.file);
  if (child.pid === undefined) throw new Error(`${options.file} has no process id`);
  return { url, pid: child.pid, stop };
}

async function addressOf(child: ChildProcess, file: string): Promise<string> {
  if (child.stdout === null) throw new Error("the output of a child cannot be read");
  const lines = createInterface(child.stdout);
  const found = Promise.withResolvers<string>();
  // Goes on reading afterwards: a full pipe would stop the server.
  lines.on("line", (line) => {
    const url = URL_PATTERN.exec(line)?.[0];
    // As a number: nothing that is measured shall begin with looking up a name.
    if (url !== undefined) found.resolve(url.replace("localhost", "127.0.0.1"));
  });
  child.once("exit", (code) => found.reject(new Error(`${file} ended with ${code} at its start`)));
  child.once("error", found.reject);
  const timer = setTimeout(
    () => found.reject(new Error(`${file} printed no address in ${START_DEADLINE_MS} ms`)),
    START_DEADLINE_MS,
  );
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}
