/** Shows bytes that others wrote: as text where they are UTF-8, else as a hex dump. */

const BYTES_PER_LINE = 16;

/** @returns the text; undefined if the bytes are not UTF-8. */
export function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What moves the cursor, and what turns the direction of reading around; not line breaks and tabs. */
const STEERING = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

/** For a screen: text as it is, but characters that could steer a terminal are spelled out. */
export function payloadText(bytes: Uint8Array): string {
  const text = utf8Of(bytes);
  if (text === undefined) return hexDump(bytes);
  return text.replaceAll(STEERING, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** `00000010  7b 22 61 22 …  {"a"…`: offset, 16 bytes, what of them is ASCII. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const row = [...bytes.subarray(at, at + BYTES_PER_LINE)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = row.map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    );
    lines.push(
      `${at.toString(16).padStart(8, "0")}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  ${ascii.join("")}`,
    );
  }
  return lines.join("\n");
}
