/** Structured logs on stderr. Tokens and personal data never reach them. */
import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";

export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error" | "fatal">;

/** Names of fields that hold a secret or something about a person, wherever they appear. */
const PERSONAL = [
  "token",
  "authorization",
  "Authorization",
  "phone_number",
  "phone",
  "data",
  "title",
  "body",
  "endpoint",
  "keys",
  "p256dh",
  "auth",
  "password",
];

export interface LoggerOptions {
  readonly level: string;
  /** Where lines go; stderr unless told. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const paths = PERSONAL.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    {
      level: options.level,
      base: { service: "schoolbell" },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths, censor: "[redacted]" },
      serializers: { err: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** For tests and tools that want silence. */
export function createSilentLogger(): Logger {
  return pino({ level: "silent" });
}
