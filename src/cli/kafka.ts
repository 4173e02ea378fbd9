/** `npm run kafka`: a Kafka broker for trying things out, in the foreground until Ctrl-C. */
import path from "node:path";
import { InvalidArgumentError } from "commander";
import { startLocalBroker, type LocalBroker } from "../platform/kafka/local-broker.ts";
import { Failure, newCommand, runProgram } from "./run-command.ts";
import { say } from "./screen.ts";

const DEFAULT_PORT = 9092;
const LARGEST_PORT = 65_535;

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= LARGEST_PORT) return port;
  throw new InvalidArgumentError(`It must be a number from 1 to ${LARGEST_PORT}.`);
}

/** `DATA_DIR` as `npm start` takes it, so that both keep their data side by side. */
function dataDirOf(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["DATA_DIR"]?.trim();
  return path.join(given === undefined || given === "" ? ".data" : given, "kafka");
}

async function run({ port }: { readonly port: number }): Promise<void> {
  const dataDir = dataDirOf(process.env);
  // Also while it is starting, which Ctrl-C may cut short.
  const asked = new Promise<"stop">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve("stop"));
  });
  const starting = startLocalBroker({ dataDir, port, announce: say });
  starting.catch(() => {});
  const broker = await Promise.race([starting, asked]);
  // What has been started so far ends with this process.
  if (broker === "stop") process.exit(0);

  say(`Kafka runs at ${broker.servers}; its data is in ${dataDir}. In another terminal:\n`);
  say(`  KAFKA_BOOTSTRAP_SERVERS=${broker.servers} npm start\n`);
  say("Ctrl-C stops it.");
  await attend(broker, asked);
}

/** Until it is asked to stop, and the broker is gone. */
async function attend(broker: LocalBroker, asked: Promise<"stop">): Promise<void> {
  if ((await Promise.race([asked, broker.ended])) !== "stop") {
    throw new Failure("Kafka ended by itself; the reason is in broker.log in its data folder.");
  }
  say("Stopping Kafka ...");
  await broker.stop();
}

await runProgram(
  newCommand("npm run kafka --")
    .description("Runs one Kafka broker on 127.0.0.1, fetched once with Maven; it needs Java 17.")
    .option("-p, --port <port>", "port to listen on", parsePort, DEFAULT_PORT)
    .action(run),
);
