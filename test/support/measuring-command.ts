/** What the commands that measure the product share: help, wrong use, and an end in good order. */
import { createResources, type Resources } from "../../src/platform/resources.ts";

const EXIT_WRONG_USE = 2;
const EXIT_INTERRUPTED = 130;
const STOP_DEADLINE_MS = 30_000;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What was asked for turns out, only while it is done, not to exist: wrong use, not a defect. */
export class WrongUseError extends Error {}

type Parsed<Options> =
  | { readonly kind: "help" }
  | { readonly kind: "options"; readonly options: Options }
  | { readonly kind: "wrong"; readonly message: string };

/**
 * Does `work` with what was asked for, and closes what it opened however it ends.
 * @param command how it is called: `npm run soak`
 * @returns the exit code: that of `work`, 0 for help, 2 for wrong use
 */
export async function runMeasuring<Options>(
  command: string,
  parsed: Parsed<Options>,
  usage: string,
  work: (options: Options, resources: Resources) => Promise<number>,
): Promise<number> {
  if (parsed.kind === "help") {
    process.stdout.write(usage);
    return 0;
  }
  if (parsed.kind === "wrong") {
    // A sentence that the whole usage follows would scroll away; Node's own come in several lines.
    const sentence = parsed.message.replaceAll("\n", " ");
    process.stderr.write(`${sentence}\n${command} -- --help says how it is used.\n`);
    return EXIT_WRONG_USE;
  }
  const resources = createResources();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      say("stopping");
      void resources.close(STOP_DEADLINE_MS).then(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  try {
    return await work(parsed.options, resources);
  } catch (error) {
    if (!(error instanceof WrongUseError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_WRONG_USE;
  } finally {
    await resources.close(STOP_DEADLINE_MS);
  }
}
