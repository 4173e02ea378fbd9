/** The broker that `npm run kafka` and the tests use: it keeps its data, and never stays behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findFreePort, isAnswering } from "../../../src/platform/kafka/local-broker.ts";
import { provisionBroker } from "../../../src/platform/kafka/local-broker-provision.ts";
import {
  connectTestKafka,
  openTestKafka,
  startOwnBroker,
  type TestKafka,
} from "../../support/kafka.ts";

describe("a topic of the run's broker", () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await openTestKafka();
  });
  afterAll(() => kafka.close());

  it("gives back what was written, partition by partition, in order", async () => {
    const topic = await kafka.createTopic("round", 2);
    await kafka.produce(topic, [
      { key: "a", value: "1", partition: 1, headers: { trace: "t1" } },
      { key: "b", value: "2", partition: 0 },
      { key: "a", value: null, partition: 1 },
    ]);
    const records = await kafka.readAll(topic);
    expect(records.map(({ partition, value }) => [partition, value?.toString() ?? null])).toEqual([
      [0, "2"],
      [1, "1"],
      [1, null],
    ]);
    expect(records[1]?.headers["trace"]?.toString()).toBe("t1");
  });

  it("is empty where nothing was written, or nobody made it", async () => {
    expect(await kafka.readAll(await kafka.createTopic("quiet"))).toEqual([]);
    expect(await kafka.readAll(`${kafka.prefix}unheard-of`)).toEqual([]);
  });
});

/** Brokers that start one after another on a machine that does other things too. */
const BROKERS_TIMEOUT_MS = 180_000;

describe("a broker of one's own", { timeout: BROKERS_TIMEOUT_MS }, () => {
  it("has its topics again after it was stopped, at the same address", async () => {
    const broker = await startOwnBroker();
    const before = await connectTestKafka(broker.servers);
    const topic = await before.createTopic("kept");
    await before.produce(topic, [{ key: "k", value: "v" }]);
    await before.admin.disconnect();
    await broker.stop();
    expect(await isAnswering(broker.servers)).toBe(false);
    await broker.start();
    const after = await connectTestKafka(broker.servers);
    expect((await after.readAll(topic)).map(({ value }) => value?.toString())).toEqual(["v"]);
    await after.close();
    await broker.close();
  });
});

describe("npm run kafka", { timeout: BROKERS_TIMEOUT_MS }, () => {
  const CLI = fileURLToPath(new URL("../../../src/cli/kafka.ts", import.meta.url));
  let folder: string;
  let port: number;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "schoolbell-broker-"));
    port = await findFreePort();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function launch(...args: string[]) {
    const child = spawn(process.execPath, [CLI, "--port", String(port), ...args], {
      env: { PATH: process.env["PATH"] ?? "", DATA_DIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let screen = "";
    let errors = "";
    const ready = new Promise<void>((resolve, reject) => {
      child.once("close", (code) => reject(new Error(`it ended with ${code}: ${errors}`)));
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        screen += text;
        if (screen.includes("Ctrl-C")) resolve();
      });
    });
    // Who expects it to fail does not wait for it to be ready.
    ready.catch(() => {});
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const exit = once(child, "close").then(([code]) => Number(code));
    return { child, ready, exit, screen: () => screen, errors: () => errors };
  }

  it("says what to set, and stops in good order at Ctrl-C", async () => {
    const { child, ready, exit, screen, errors } = launch();
    await ready;
    expect(screen()).toContain(`KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:${port} npm start`);
    expect(await isAnswering(`127.0.0.1:${port}`)).toBe(true);
    child.kill("SIGINT");
    expect(await exit).toBe(0);
    expect(await isAnswering(`127.0.0.1:${port}`)).toBe(false);
    expect(errors()).toBe("");
  });

  it("leaves no broker behind when it is killed", async () => {
    const { child, ready, exit } = launch();
    await ready;
    child.kill("SIGKILL");
    await exit;
    await expect.poll(() => isAnswering(`127.0.0.1:${port}`)).toBe(false);
  });

  it("says in one line that the port is taken", async () => {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    const { exit, errors } = launch();
    expect(await exit).toBe(2);
    expect(errors().trimEnd()).toMatch(new RegExp(`^Port ${port} is taken: .*$`));
    server.close();
  });

  it("says in one line that another uses its folder, which goes on", async () => {
    const first = launch();
    await first.ready;
    const taken = port;
    port = await findFreePort();
    const second = launch();
    expect(await second.exit).toBe(2);
    expect(second.errors().trimEnd()).toMatch(/^\S+ is in use by the running process \d+: .*$/);
    expect(await isAnswering(`127.0.0.1:${taken}`)).toBe(true);
    first.child.kill("SIGINT");
    expect(await first.exit).toBe(0);
  });
});

describe("on a machine that lacks something", () => {
  let folder: string;
  const said: string[] = [];
  const provision = () =>
    provisionBroker({
      cacheDir: path.join(folder, "cache"),
      searchPath: [folder],
      announce: (line) => said.push(line),
    });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "schoolbell-broker-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A program that says this and ends with this code. */
  const install = (name: string, says: string, code: number) =>
    writeFile(
      path.join(folder, name),
      `#!/bin/sh\necho '${says}'\necho '${says}' >&2\nexit ${code}\n`,
      {
        mode: 0o755,
      },
    );

  it("says that Java is missing", async () => {
    await expect(provision()).rejects.toThrow(/^No Java found: install Java 17 .*$/);
  });

  it("says that Java is too old", async () => {
    await install("java", 'openjdk version "11.0.2" 2019-01-15', 0);
    await expect(provision()).rejects.toThrow(/java is older than Java 17.*$/);
  });

  it("says that Maven is missing", async () => {
    await install("java", 'openjdk version "21.0.1" 2023-10-17', 0);
    await expect(provision()).rejects.toThrow(/^No Maven found: install it .*$/);
  });

  it("says why Maven could not fetch it, without addresses, and leaves nothing behind", async () => {
    await install("java", 'openjdk version "21.0.1" 2023-10-17', 0);
    await install("mvn", "[ERROR] No route to central (https://repo.example/x) to get it", 1);
    await expect(provision()).rejects.toThrow(
      /^Kafka [\d.]+ could not be fetched \(No route to central \(\(address\)\) to get it\): .*$/,
    );
    expect(said.at(-1)).toMatch(/^Fetching Apache Kafka [\d.]+ with Maven/);
    expect(await readdir(path.join(folder, "cache"))).toEqual([]);
  });
});
