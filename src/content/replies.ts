/** What a person is told who answered a text message with STOP, START or HELP. */
import type { Locale } from "../contract/vocabulary.ts";
import type { Locales } from "./locales.ts";

/** In the installation's language: of whoever sent it only the number is known. */
export function createReplies(
  locales: Pick<Locales, "text">,
  locale: Locale,
): (keyword: "stop" | "start" | "help") => string | undefined {
  return (keyword) =>
    locales.text({
      locale,
      family: "general",
      keys: [`replies.${keyword}`],
      value: () => undefined,
    });
}
