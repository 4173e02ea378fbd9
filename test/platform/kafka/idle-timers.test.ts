/** A connection to Kafka that has nothing to do leaves the process alone. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { openTestKafka } from "../../support/kafka.ts";

const at = (file: string): string =>
  JSON.stringify(new URL(`../../../src/platform/${file}`, import.meta.url));

/** Connects, then counts for a second how often a timer is set. */
const IDLE = `
  import { createKafkaConnection } from ${at("kafka/connection.ts")};
  import { createSilentLogger } from ${at("logger.ts")};
  const settings = { servers: process.env.SERVERS.split(","), clientId: "idle", ssl: false };
  const admin = createKafkaConnection(settings, createSilentLogger()).client.admin();
  await admin.connect();
  await admin.listTopics();
  const { setTimeout } = globalThis;
  let timers = 0;
  globalThis.setTimeout = (...args) => { timers += 1; return setTimeout(...args); };
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  console.log(timers);
  await admin.disconnect();
`;

describe("an idle connection", () => {
  it("sets no timer over and over, and Node warns of none", async () => {
    const kafka = await openTestKafka();
    const child = spawn(process.execPath, ["--input-type=module", "--eval", IDLE], {
      env: { PATH: process.env["PATH"] ?? "", SERVERS: kafka.servers },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    await once(child, "close");
    await kafka.close();
    expect(errors).toBe("");
    expect(Number(output)).toBeLessThan(50);
  });
});
