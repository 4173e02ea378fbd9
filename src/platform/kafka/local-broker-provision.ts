/** Gets the programs of an Apache Kafka broker, once, with Maven; they stay in the cache folder. */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ConfigError } from "../config.ts";

const run = promisify(execFile);

/** What a broker consists of, and which version. */
const POM_FILE = fileURLToPath(new URL("../../../deploy/kafka/pom.xml", import.meta.url));
const DEFAULT_CACHE_DIR = fileURLToPath(new URL("../../../.cache/kafka", import.meta.url));
/** Some 43 MB, over a slow line. */
const FETCH_TIMEOUT_MS = 600_000;
/** Brokers of Kafka 4 do not run on an older one. */
const LEAST_JAVA_MAJOR = 17;
const VERSION_TIMEOUT_MS = 10_000;

/** How a broker is started: `java -cp <classPath> kafka.Kafka`. */
export interface BrokerProgram {
  readonly java: string;
  readonly classPath: string;
  readonly version: string;
}

export interface BrokerProvisionOptions {
  /** Where what was fetched is kept; `.cache/kafka` of the project unless told. */
  readonly cacheDir?: string;
  /** Folders searched for `java` and `mvn`; `$PATH` unless told. */
  readonly searchPath?: readonly string[];
  /** Tells the person at the screen what is being fetched. */
  readonly announce: (line: string) => void;
}

/**
 * @throws ConfigError of one line that says what is missing: Java, Maven, or the way to the packages
 */
export async function provisionBroker(options: BrokerProvisionOptions): Promise<BrokerProgram> {
  const searchPath = options.searchPath ?? systemPath();
  const java = findProgram("java", searchPath);
  if (java === undefined) throw new ConfigError(NO_JAVA);
  await assertRecentEnough(java);
  const version = readVersion();
  const cacheDir = path.resolve(options.cacheDir ?? DEFAULT_CACHE_DIR);
  if (!isFetched(cacheDir, version)) {
    const maven = findProgram("mvn", searchPath);
    if (maven === undefined) throw new ConfigError(NO_MAVEN);
    options.announce(`Fetching Apache Kafka ${version} with Maven (once, about 43 MB) ...`);
    await fetchWith(maven, cacheDir, version);
  }
  return { java, version, classPath: path.join(cacheDir, version, "*") };
}

const NO_JAVA = `No Java found: install Java ${LEAST_JAVA_MAJOR} or newer (Debian: default-jre-headless), or set KAFKA_BOOTSTRAP_SERVERS to a broker that runs elsewhere.`;
const NO_MAVEN =
  "No Maven found: install it (Debian: maven), which fetches Kafka once, or set KAFKA_BOOTSTRAP_SERVERS to a broker that runs elsewhere.";

function systemPath(): readonly string[] {
  return (process.env["PATH"] ?? "").split(path.delimiter);
}

function findProgram(name: string, searchPath: readonly string[]): string | undefined {
  return searchPath
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function assertRecentEnough(java: string): Promise<void> {
  // `java -version` writes to stderr: openjdk version "17.0.15" 2025-04-15
  const { stderr } = await run(java, ["-version"], { timeout: VERSION_TIMEOUT_MS });
  const major = /version "(\d+)/.exec(stderr)?.[1];
  if (Number(major ?? 0) >= LEAST_JAVA_MAJOR) return;
  throw new ConfigError(
    `${java} is older than Java ${LEAST_JAVA_MAJOR}, which Kafka needs: install a newer one.`,
  );
}

function readVersion(): string {
  const version = /<kafka\.version>([^<]+)</.exec(readFileSync(POM_FILE, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${POM_FILE} names no version of Kafka`);
  return version;
}

function isFetched(cacheDir: string, version: string): boolean {
  return existsSync(path.join(cacheDir, version, `kafka_2.13-${version}.jar`));
}

/** The folder appears complete or not at all, also when two processes fetch at the same moment. */
async function fetchWith(maven: string, cacheDir: string, version: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const fresh = await mkdtemp(path.join(cacheDir, "fetching-"));
  try {
    const goal = "dependency:copy-dependencies";
    const settings = [`-DoutputDirectory=${fresh}`, "-DincludeScope=runtime"];
    await run(maven, ["-B", "-ntp", "-q", "-f", POM_FILE, goal, ...settings], {
      timeout: FETCH_TIMEOUT_MS,
      // Not the project's own folder, where Maven would look for settings of its own.
      cwd: fresh,
    });
    await rename(fresh, path.join(cacheDir, version));
  } catch (error) {
    if (isFetched(cacheDir, version)) return;
    throw new ConfigError(
      `Kafka ${version} could not be fetched (${reasonOf(error)}): look whether Maven reaches its repository, and try again.`,
      { cause: error },
    );
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** The first complaint of Maven's, without addresses, which differ from place to place. */
function reasonOf(error: unknown): string {
  const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
  const complaint = /^\[ERROR\] (.+)$/m.exec(output)?.[1] ?? String(error);
  return complaint.replaceAll(/[a-z]+:\/\/[^\s)]+/g, "(address)").slice(0, 300);
}
