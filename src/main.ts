/** Reads the configuration, starts the roles, and stops them in reverse order within a deadline. */
import { parseArgs } from "node:util";
import { describeConfig } from "./platform/config-help.ts";
import { ConfigError, readConfig } from "./platform/config.ts";
import { loadDevelopmentKeys } from "./platform/development-keys.ts";
import { startEmbeddedRedis } from "./platform/embedded-redis.ts";
import { createLogger, type Logger } from "./platform/logger.ts";
import type { Config } from "./platform/config-schema.ts";
import { collectYoungObjectsAlone } from "./platform/garbage-collector.ts";
import { createResources, type Resources } from "./platform/resources.ts";
import { banner } from "./roles/banner.ts";
import { openFoundation, type Secrets } from "./roles/foundation.ts";
import { openFrontDoor } from "./roles/front-door.ts";
import { startRoles } from "./roles/start.ts";
import { version } from "./roles/version.ts";

/** Lines for the person at the screen; JSON logs go to stderr. */
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function readSecrets(config: Config): Promise<Secrets> {
  const vapid =
    config.VAPID_PUBLIC_KEY === undefined || config.VAPID_PRIVATE_KEY === undefined
      ? undefined
      : { publicKey: config.VAPID_PUBLIC_KEY, privateKey: config.VAPID_PRIVATE_KEY };
  if (config.NODE_ENV === "production") return { jwtSecrets: config.JWT_SECRET_KEY ?? [], vapid };
  const made = await loadDevelopmentKeys(config.DATA_DIR);
  return {
    jwtSecrets: config.JWT_SECRET_KEY ?? [made.jwtSecret],
    vapid: vapid ?? { publicKey: made.vapidPublicKey, privateKey: made.vapidPrivateKey },
  };
}

async function redisUrlOf(config: Config, logger: Logger, resources: Resources): Promise<string> {
  if (config.REDIS_URL !== undefined) return config.REDIS_URL;
  const embedded = await startEmbeddedRedis({
    dataDir: config.DATA_DIR,
    logger,
    appendOnly: true,
    announce: say,
  });
  resources.add("embedded redis", () => embedded.stop());
  return embedded.url;
}

/** Stops in good order, once, and ends the process with that code, or 1 if something would not stop. */
type Stop = (why: Record<string, unknown>, exitCode: number) => Promise<void>;

function createStop(config: Config, logger: Logger, resources: Resources): Stop {
  let stopping = false;
  return async (why, exitCode) => {
    // A second signal while it stops means: at once.
    if (stopping) process.exit(1);
    stopping = true;
    logger.info(why, "stopping");
    const failures = await resources.close(config.SHUTDOWN_DEADLINE_MS);
    for (const { name, reason } of failures) logger.warn({ resource: name, reason }, "not stopped");
    logger.info(why, "stopped");
    process.exit(failures.length === 0 ? exitCode : 1);
  };
}

const USAGE = `npm start               runs Schoolbell; everything is set by environment variables
npm start -- --help     lists them`;

const EXIT_WRONG_USE = 2;

/** Answers `--help`, and whoever wrote what is not known. False: nothing but to start was asked. */
function answered(args: string[]): boolean {
  let help: boolean | undefined;
  try {
    help = parseArgs({ args, options: { help: { type: "boolean", short: "h" } } }).values.help;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exitCode = EXIT_WRONG_USE;
    return true;
  }
  if (help !== true) return false;
  say(`${USAGE}\n\nIn ( ) is what a variable may be, in [ ] what it is unless it is set.\n`);
  say(describeConfig());
  return true;
}

async function main(): Promise<void> {
  if (answered(process.argv.slice(2))) return;
  collectYoungObjectsAlone();
  const config = readConfig(process.env);
  const logger = createLogger({ level: config.LOG_LEVEL });
  const resources = createResources();
  const stop = createStop(config, logger, resources);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void stop({ signal }, 0));
  }
  // What cannot go on by itself is begun anew by the supervisor.
  const onFatal = (error: unknown): void => {
    logger.fatal({ err: error }, "cannot go on");
    void stop({ fatal: true }, 1);
  };
  try {
    const door = await openFrontDoor({ config, version, resources });
    const secrets = await readSecrets(config);
    const redisUrl = await redisUrlOf(config, logger, resources);
    const foundation = await openFoundation({
      config,
      secrets,
      redisUrl,
      logger,
      resources,
      onFatal,
    });
    await startRoles(foundation, door);
    say(await banner({ url: door.url, config, secrets }));
  } catch (error) {
    await resources.close(config.SHUTDOWN_DEADLINE_MS);
    throw error;
  }
}

main().catch((error: unknown) => {
  // A wrong setting needs no stack trace; anything else does.
  const text =
    error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : error;
  process.stderr.write(`${String(text)}\n`);
  process.exit(1);
});
