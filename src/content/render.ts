/** Turns a template and its data into the words one person reads, in their language and time zone. */
import type { Locale } from "../contract/vocabulary.ts";
import { chooseLocale, type Locales } from "./locales.ts";
import { smsSize } from "./sms-segments.ts";
import { smsLink, smsText } from "./sms-text.ts";
import type { Subject } from "./subject.ts";
import type { Template } from "./template.ts";
import { textNames, type TextKind } from "./text-names.ts";
import { fullData, publicData, textValues, type Manner, type TextValues } from "./text-values.ts";
import { fillPattern } from "./url-pattern.ts";
import { createValueFormats } from "./value-formats.ts";

export type { Subject } from "./subject.ts";

interface InAppText {
  readonly title: string;
  readonly body: string;
  readonly dir: "ltr" | "rtl";
  readonly locale: Locale;
}

interface LockScreenAction {
  readonly action: string;
  readonly title: string;
  readonly url: string;
}

export interface LockScreenText extends InAppText {
  /** A path of this site, or the https address an announcement names. */
  readonly url: string;
  readonly actions: readonly LockScreenAction[];
}

export interface Renderer {
  /** For the authenticated socket: everything may be named. */
  inApp(template: Template, subject: Subject): InAppText;
  /** For a screen anyone may look at: public fields only, and never a pupil's name. */
  lockScreen(template: Template, subject: Subject): LockScreenText;
  /**
   * As public as the lock screen; at most two segments, ending with `link` (an absolute address).
   * A link too long for that is cut to its origin. Typography gives way to the cheaper alphabet.
   */
  sms(template: Template, subject: Subject, link: string): string;
  /** What a button says that every notification may have. */
  button(subject: Pick<Subject, "locale">, name: "mark_read" | "remind_later"): string;
  /** Where the notification leads; what `sms` takes is this, made absolute. */
  link(template: Template, subject: Subject): string;
}

const MAX_SMS_SEGMENTS = 2;
/** Lengths free text is cut to, one after the other, until an SMS fits. */
const SMS_VALUE_LENGTHS = [200, 60, 30, 15] as const;
const ROOT = "/";
/** A browser opens this on a tap: a path of this site or an https address, never a script. */
const SAFE_URL = /^(\/(?![/\\])|https:\/\/)[!-~]*$/;

function directionOf(locale: Locale): "ltr" | "rtl" {
  return locale === "ar" ? "rtl" : "ltr";
}

function noValue(): undefined {}

function originOf(link: string): string {
  return URL.canParse(link) ? new URL(link).origin : link;
}

function linkOf(template: Template, shown: Readonly<Record<string, unknown>>): string {
  for (const pattern of template.urls) {
    const url = fillPattern(pattern, shown);
    if (url !== undefined && SAFE_URL.test(url)) return url;
  }
  return ROOT;
}

export function createRenderer(deps: {
  readonly locales: Locales;
  readonly defaultLocale?: Locale;
}): Renderer {
  const { locales, defaultLocale = "en" } = deps;
  const formats = createValueFormats();

  const say = (
    template: Template,
    locale: Locale,
    kind: TextKind,
    { value, variants, count }: TextValues,
  ): string | undefined => {
    const keys = textNames(kind, variants).map((name) => `${template.id}.${name}`);
    return locales.text({ locale, family: template.family, keys, count, value });
  };

  /** Stands in where data is incomplete, so that nobody reads half a sentence. */
  const fallback = (locale: Locale, name: "title" | "body" | "sms", link = ROOT): string => {
    const keys = [`fallback.${name}`];
    return locales.text({ locale, family: "general", keys, value: () => link }) ?? "";
  };

  const actionsOf = (
    template: Template,
    locale: Locale,
    shown: Readonly<Record<string, unknown>>,
  ): LockScreenAction[] =>
    template.actions.flatMap(({ id, url: pattern }) => {
      const url = fillPattern(pattern, shown);
      const keys = [`actions.${id}`];
      const title = locales.text({ locale, family: template.family, keys, value: noValue });
      return url === undefined || title === undefined ? [] : [{ action: id, title, url }];
    });

  const readerOf = ({ locale: tag, timezone }: Subject): Manner["reader"] => {
    return { locale: chooseLocale(tag, defaultLocale), tag, timezone };
  };

  const screenText = (
    template: Template,
    subject: Subject,
    audience: "person" | "anyone",
  ): InAppText => {
    const reader = readerOf(subject);
    const { locale } = reader;
    const open = audience === "anyone";
    const data = open ? publicData(template, subject) : fullData(subject);
    const manner = { reader, style: "long", maxLength: Infinity, oneLine: open } as const;
    const values = textValues(template, subject, data, { manner, formats });
    const words = (kind: "title" | "body"): string => {
      const own = open ? undefined : say(template, locale, kind, values);
      // The sentence for everyone asks for less, so it can often be said where data is incomplete.
      return own ?? say(template, locale, `public_${kind}`, values) ?? fallback(locale, kind);
    };
    return {
      title: words("title"),
      body: words("body"),
      dir: directionOf(locale),
      locale,
    };
  };

  const smsWords = (template: Template, subject: Subject, length: number, link: string): string => {
    const reader = readerOf(subject);
    const { locale } = reader;
    const data = publicData(template, subject);
    const manner = { reader, style: "short", maxLength: length, oneLine: true } as const;
    const values = textValues(template, subject, data, { manner, formats });
    const value = (name: string): string | undefined =>
      name === "link" ? link : values.value(name);
    const all = { ...values, value };
    const text = say(template, locale, "sms", all);
    if (text !== undefined) return text;
    // A template that normally stays off the phone: raised to critical it speaks as on a screen.
    const title = say(template, locale, "public_title", all);
    const body = say(template, locale, "public_body", all);
    return title === undefined || body === undefined
      ? fallback(locale, "sms", link)
      : `${title}\n${body}\n${link}`;
  };

  return {
    inApp: (template, subject) => screenText(template, subject, "person"),

    lockScreen(template, subject) {
      const text = screenText(template, subject, "anyone");
      const shown = publicData(template, subject);
      return {
        ...text,
        url: linkOf(template, shown),
        actions: actionsOf(template, text.locale, shown),
      };
    },

    sms(template, subject, link) {
      for (const address of [smsLink(link), originOf(link)]) {
        for (const length of SMS_VALUE_LENGTHS) {
          const text = smsText(smsWords(template, subject, length, address));
          if (smsSize(text).segments <= MAX_SMS_SEGMENTS) return text;
        }
      }
      return smsText(fallback(readerOf(subject).locale, "sms", originOf(link)));
    },

    button({ locale: tag }, name) {
      const locale = chooseLocale(tag, defaultLocale);
      const keys = [`actions.${name}`];
      return locales.text({ locale, family: "general", keys, value: noValue }) ?? "";
    },

    link: (template, subject) => linkOf(template, publicData(template, subject)),
  };
}
