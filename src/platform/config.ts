/** Parses the environment once; a wrong value is named with its variable and what it may be. */
import { CONFIG_GROUPS, configSchema, type Config } from "./config-schema.ts";

/** Something only the operator can set right; the message says what, and needs no stack trace. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @throws ConfigError that names every wrong variable, one line each. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty value, as `NAME=` in an env file leaves it, means "not set".
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const result = configSchema.safeParse(given);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(`The configuration is not valid:\n${lines.join("\n")}`);
  }
  assertConsistent(result.data);
  return result.data;
}

function assertConsistent(config: Config): void {
  const wrong: string[] = [];
  if ((config.VAPID_PUBLIC_KEY === undefined) !== (config.VAPID_PRIVATE_KEY === undefined)) {
    wrong.push("VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY belong together: set both or neither");
  }
  if ((config.TWILIO_ACCOUNT_SID === undefined) !== (config.TWILIO_AUTH_TOKEN === undefined)) {
    wrong.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN belong together: set both or neither");
  }
  if (
    config.TWILIO_ACCOUNT_SID !== undefined &&
    config.TWILIO_FROM_NUMBER === undefined &&
    config.TWILIO_MESSAGING_SERVICE_SID === undefined
  ) {
    wrong.push("Twilio needs TWILIO_FROM_NUMBER or TWILIO_MESSAGING_SERVICE_SID");
  }
  if (config.HEARTBEAT_TIMEOUT_MS <= config.HEARTBEAT_INTERVAL_MS) {
    wrong.push("HEARTBEAT_TIMEOUT_MS must be longer than HEARTBEAT_INTERVAL_MS");
  }
  if (config.DUE_LEASE_MS <= config.PROVIDER_TIMEOUT_MS) {
    wrong.push(
      "DUE_LEASE_MS must be longer than PROVIDER_TIMEOUT_MS: a send in flight would be taken for dead",
    );
  }
  if (config.NODE_ENV === "production") wrong.push(...productionFaults(config));
  if (wrong.length > 0) {
    throw new ConfigError(
      `The configuration is not valid:\n${wrong.map((line) => `  ${line}`).join("\n")}`,
    );
  }
}

function productionFaults(config: Config): string[] {
  const faults: string[] = [];
  if (config.REDIS_URL === undefined) {
    faults.push("REDIS_URL is required in production; the embedded Redis is for development");
  }
  if (config.JWT_SECRET_KEY === undefined && config.JWT_JWKS_URL === undefined) {
    faults.push("JWT_SECRET_KEY or JWT_JWKS_URL is required in production (npm run keys)");
  }
  if (config.DATA_ENCRYPTION_KEY === undefined) {
    faults.push("DATA_ENCRYPTION_KEY is required in production (npm run keys)");
  }
  if (config.RATE_LIMITS === "off") {
    faults.push("RATE_LIMITS=off is for load tests and is refused in production");
  }
  return faults;
}

/** The variables as a table for `--help`. */
export function describeConfig(): string {
  const lines: string[] = [];
  for (const [group, variables] of Object.entries(CONFIG_GROUPS)) {
    lines.push("", group);
    for (const [name, schema] of Object.entries(variables)) {
      lines.push(`  ${name.padEnd(34)}${schema.description ?? ""}`);
    }
  }
  return lines.join("\n").trimStart();
}
