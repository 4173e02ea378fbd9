/** What a browser is called in its person's list when its page gave it no name: "Firefox on Linux". */

/** Longer ones are cut before they are looked at: anybody may send anything. */
const MAX_USER_AGENT_LENGTH = 512;

type Names = readonly (readonly [sign: RegExp, name: string])[];

/** The first that fits: most name themselves beside those that they want to be taken for. */
const BROWSERS: Names = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\b(OPR|OPT|Opera)\//, "Opera"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bYaBrowser\//, "Yandex Browser"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|CriOS|Chromium|HeadlessChrome)\//, "Chrome"],
  [/\bVersion\/[\d.]+.* Safari\//, "Safari"],
];

const SYSTEMS: Names = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

function nameIn(text: string, names: Names): string | undefined {
  return names.find(([sign]) => sign.test(text))?.[1];
}

/** @returns undefined where it says nothing that is known. */
export function deviceLabel(userAgent: string | undefined): string | undefined {
  const text = userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? "";
  const browser = nameIn(text, BROWSERS);
  const system = nameIn(text, SYSTEMS);
  if (system === undefined) return browser;
  return `${browser ?? "Browser"} on ${system}`;
}
