/** Nobody but Twilio can tell this service what became of an SMS, or that somebody wrote STOP. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { callbackBase } from "../../src/channels/sms/callback-address.ts";
import { createTwilioSignature } from "../../src/channels/sms/twilio-signature.ts";

/** The example of Twilio's page on the security of webhooks. */
const EXAMPLE = {
  authToken: "12345",
  base: "https://mycompany.com",
  path: "/myapp.php?foo=1&bar=2",
  form: {
    CallSid: "CA1234567890ABCDE",
    Caller: "+12349013030",
    Digits: "1234",
    From: "+12349013030",
    To: "+18005551212",
  },
  signature: "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
};

const NOWHERE = { CALLBACK_URL: undefined, PUBLIC_URL: undefined };
const check = createTwilioSignature(EXAMPLE);

function signed(address: string, fields: string): string {
  return createHmac("sha1", EXAMPLE.authToken)
    .update(address + fields)
    .digest("base64");
}

describe("a request of Twilio's", () => {
  it("is known by the example that Twilio gives", () => {
    expect(check.isRight(EXAMPLE.path, EXAMPLE.form, EXAMPLE.signature)).toBe(true);
  });

  it("may have been signed with the port in its address", () => {
    const given = signed("https://mycompany.com:443/hook", "A1");
    expect(check.isRight("/hook", { A: "1" }, given)).toBe(true);
  });

  it("may have fields that this version does not know, and one of them several times", () => {
    const given = signed("https://mycompany.com/hook", "AoneAtwoNew1");
    expect(check.isRight("/hook", { New: "1", A: ["two", "one"] }, given)).toBe(true);
  });
});

it.each([
  ["no signature", EXAMPLE.path, EXAMPLE.form, undefined],
  ["an empty one", EXAMPLE.path, EXAMPLE.form, ""],
  ["one of another request", "/other", EXAMPLE.form, EXAMPLE.signature],
  ["a field added", EXAMPLE.path, { ...EXAMPLE.form, More: "1" }, EXAMPLE.signature],
  ["a field changed", EXAMPLE.path, { ...EXAMPLE.form, Digits: "1235" }, EXAMPLE.signature],
  ["a field missing", EXAMPLE.path, { To: "+18005551212" }, EXAMPLE.signature],
  ["a longer one", EXAMPLE.path, EXAMPLE.form, `${EXAMPLE.signature}=`],
])("a request with %s is nobody's", (_what, path, form, given) => {
  expect(check.isRight(path, form, given)).toBe(false);
});

describe("providers are told to call back", () => {
  it.each([
    ["at the public address, if that is https", { PUBLIC_URL: "https://a.example/" }],
    [
      "at an address of its own, whatever the public one",
      { CALLBACK_URL: "https://a.example", PUBLIC_URL: "https://b.example" },
    ],
  ])("%s", (_where, config) => {
    expect(callbackBase({ ...NOWHERE, ...config })).toBe("https://a.example");
  });

  it("nowhere, where they could not reach this service", () => {
    const config = { CALLBACK_URL: undefined, PUBLIC_URL: "http://localhost:8003" };
    expect(callbackBase(config)).toBeUndefined();
  });
});
