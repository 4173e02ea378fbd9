/** The variables of SMS beside Twilio's own: a second provider, their order, caps and throughput. */
import { address, list, text, wholeNumber } from "./config-values.ts";

export const SMS_PROVIDERS = ["twilio", "webhook"] as const;
export type SmsProviderName = (typeof SMS_PROVIDERS)[number];

/** What a provider cannot do without. */
export const SMS_PROVIDER_VARIABLES = {
  twilio: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
  webhook: ["SMS_WEBHOOK_URL", "SMS_WEBHOOK_SECRET"],
} as const satisfies Record<SmsProviderName, readonly string[]>;

/** Shorter ones can be guessed from one signature. */
const LEAST_SECRET_CHARACTERS = 32;
const MAX_SEGMENTS_PER_SECOND = 10_000;

const isProvider = (name: string): name is SmsProviderName =>
  SMS_PROVIDERS.some((known) => known === name);

const providerList = list.transform((names, context): SmsProviderName[] => {
  const known = names.filter(isProvider);
  if (names.length === 0 || known.length < names.length || new Set(names).size < names.length) {
    context.addIssue(`must be a comma list of ${SMS_PROVIDERS.join(", ")}, each at most once`);
  }
  return known;
});

const secrets = list.refine(
  (values) => values.length > 0 && values.every((value) => value.length >= LEAST_SECRET_CHARACTERS),
  `must be at least ${LEAST_SECRET_CHARACTERS} characters, or a comma list of such`,
);

const rate = /^(?:(twilio|webhook):)?(\d{1,5}(?:\.\d{1,3})?)$/;

/** As a number of Twilio's long codes sends. */
const USUAL_RATES: Readonly<Record<SmsProviderName, number>> = { twilio: 1, webhook: 1 };

/** `5`, or `twilio:1,webhook:20`; one that is not named keeps the usual rate. */
const rates = list.transform((entries, context): Readonly<Record<SmsProviderName, number>> => {
  const found = { ...USUAL_RATES };
  for (const entry of entries) {
    const [, name, number] = rate.exec(entry) ?? [];
    const perSecond = Number(number);
    if (!(perSecond > 0 && perSecond <= MAX_SEGMENTS_PER_SECOND)) {
      context.addIssue(
        `must be a number above 0 and up to ${MAX_SEGMENTS_PER_SECOND}, such as 1, or one for each provider, such as twilio:1,webhook:20`,
      );
      return USUAL_RATES;
    }
    for (const provider of SMS_PROVIDERS) {
      if (name === provider || name === undefined) found[provider] = perSecond;
    }
  }
  return found;
});

export const SMS_VARIABLES = {
  SMS_WEBHOOK_URL: address(/^https?$/, "https://sms.example.org/messages")
    .optional()
    .describe("address of a second provider that speaks the protocol of docs/SMS.md"),
  SMS_WEBHOOK_SECRET: secrets
    .optional()
    .describe(
      "signs what is sent there and what comes back; comma list for rotation: all sign, any is accepted",
    ),
  SMS_WEBHOOK_SENDER: text
    .optional()
    .describe("sender that it is asked to show: a number or a name"),
  SMS_PROVIDERS: providerList
    .optional()
    .describe(
      "comma list of twilio, webhook in the order they are asked; unset: those that are configured",
    ),
  SMS_CAP_USER_DAY: wholeNumber(1, 100_000)
    .default(10)
    .describe("SMS a day (UTC) to one user; critical ones count, but are not held back by it"),
  SMS_CAP_NUMBER_DAY: wholeNumber(1, 100_000)
    .default(20)
    .describe("SMS a day (UTC) to one number, critical ones included"),
  SMS_SEGMENTS_PER_SECOND: rates
    .prefault("1")
    .describe(
      "how fast all workers together send: segments a second, for every provider or as twilio:1,webhook:20",
    ),
};
