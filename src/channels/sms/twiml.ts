/** The answer to Twilio about a message that came in: what to send back, if anything. */

export const TWIML_TYPE = "text/xml; charset=utf-8";

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** @param text of one message to its sender; undefined: none. */
export function twiml(text: string | undefined): string {
  const message =
    text === undefined
      ? ""
      : `<Message>${text.replaceAll(/[&<>]/g, (sign) => ENTITIES[sign] ?? "")}</Message>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${message}</Response>`;
}
