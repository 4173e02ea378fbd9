/** Whether the suites that need Kafka can run here; what they need is fetched before the run. */
import { ConfigError } from "../../src/platform/config.ts";
import { provisionBroker } from "../../src/platform/kafka/local-broker-provision.ts";

/**
 * @param suites test files that need Kafka
 * @param args of the run's command line
 * @returns why no broker can be had and what to do about it; undefined if one can, or none is needed
 */
export async function whyNoKafka(
  suites: readonly string[],
  args: readonly string[],
): Promise<string | undefined> {
  const given = process.env["KAFKA_BOOTSTRAP_SERVERS"] ?? "";
  if (given !== "" || !areAnyWanted(suites, args)) return undefined;
  try {
    await provisionBroker({ announce: (line) => console.log(line) });
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** As Vitest chooses: a file whose path contains one of the words, or any where there are none. */
function areAnyWanted(suites: readonly string[], args: readonly string[]): boolean {
  const words = args.filter((arg) => !/^(-.*|run|.*\.config\.ts)$/.test(arg));
  return words.length === 0 || suites.some((suite) => words.some((word) => suite.includes(word)));
}
