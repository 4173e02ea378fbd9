/** Whether a request came from Twilio: only it and we know the token that the signature is made with. */
import twilio from "twilio";

/** A form's fields; one that is there several times has all its values. */
export type SignedForm = Readonly<Record<string, string | readonly string[]>>;

export interface TwilioSignatureOptions {
  readonly authToken: string;
  /** The address that Twilio was given, up to the path, without a slash at the end. */
  readonly base: string;
}

export interface TwilioSignature {
  /**
   * @param path with the query, exactly as it was given to Twilio
   * @param given the value of `X-Twilio-Signature`
   */
  isRight(path: string, form: SignedForm, given: string | undefined): boolean;
  /** What to tell whoever is refused: most often the address was set up otherwise than it is called. */
  refusal(path: string): string;
}

/**
 * The signature is the HMAC-SHA1 of the address and all fields, sorted by name. It is made over the
 * address that Twilio called, which behind a proxy is not the one that a request arrives with. Twilio
 * adds fields as it likes, so all that came are counted in. The SDK tries the address with and without
 * its port, as Twilio is not of one mind about that, and compares in constant time.
 */
export function createTwilioSignature(options: TwilioSignatureOptions): TwilioSignature {
  const { authToken, base } = options;
  return {
    isRight: (path, form, given) =>
      given !== undefined && twilio.validateRequest(authToken, given, base + path, form),
    refusal: (path) =>
      `The signature is not Twilio's over ${base}${path} and the fields (see CALLBACK_URL).`,
  };
}
