/** What a refusal by an SMS provider says: of the message, of the account, or of how busy it is. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { guardChannel } from "../../../src/channels/breaker/guarded-channel.ts";
import type { SmsAddress, SmsMessage } from "../../../src/channels/channel.ts";
import { createTwilioSmsChannel } from "../../../src/channels/sms/sms-channel-twilio.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { startTwilio, type TwilioService } from "../../support/twilio.ts";
import { createTestBreakers, TIMEOUT_MS } from "./test-breakers.ts";

const ADDRESS: SmsAddress = { phoneNumber: "+15005550006" };
const MESSAGE: SmsMessage = { noteId: "note", text: "Hello" };

let twilio: TwilioService;
beforeEach(async () => {
  twilio = await startTwilio();
});
afterEach(() => twilio.close());

describe("ten messages to Twilio", () => {
  it.each([
    ["are all asked about where the number is not allowed", 403, 21_408, 10],
    ["stop after three where the account is refused", 401, 20_003, 3],
    ["stop after three where the account is suspended", 403, 20_005, 3],
  ])("%s", async (_name, status, code, asked) => {
    const clock = createManualClock(Date.now());
    const channel = createTwilioSmsChannel({
      settings: {
        accountSid: twilio.accountSid,
        authToken: twilio.authToken,
        apiUrl: twilio.url,
        sender: { from: "+15005550001" },
        timeoutMs: TIMEOUT_MS,
      },
      clock,
    });
    const guarded = guardChannel({
      channel,
      breakers: createTestBreakers("sms", clock),
      originOf: () => "twilio",
    });
    twilio.script(ADDRESS.phoneNumber, { status, code });
    for (let count = 0; count < 10; count += 1) {
      const pass = guarded.admit(ADDRESS);
      if (pass.kind === "admitted") await pass.send(MESSAGE);
    }
    expect(twilio.refusals).toHaveLength(asked);
    await channel.close();
  });
});
