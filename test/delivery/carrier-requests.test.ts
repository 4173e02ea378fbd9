/** Who may say what became of an SMS: Twilio alone, in a form, and nothing of it is logged. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Note } from "../../src/tracking/note.ts";
import type { TwilioMessage } from "../support/twilio.ts";
import { callBack, callbackFields, signatureOf } from "../support/twilio-messages.ts";
import { openSmsScene, PHONE, TEXT, type SmsScene } from "./sms-scene.ts";

let scene: SmsScene;
beforeEach(async () => {
  scene = await openSmsScene();
});
afterEach(() => scene.close());

interface Sent {
  readonly note: Note;
  readonly message: TwilioMessage;
}

async function sent(...given: Parameters<SmsScene["note"]>): Promise<Sent> {
  const note = await scene.note(...given);
  const message = await scene.send(note);
  if (message === undefined) throw new Error("nothing was taken");
  return { note, message };
}

/** What its address is signed with. */
const tokenOf = ({ message }: Sent): string => message.statusCallback?.split(".").at(-1) ?? "";

const smsOf = async ({ note }: Sent): Promise<string> =>
  (await scene.book.read(note.id)).channels.sms.state;

describe("nobody but Twilio", () => {
  async function forge(
    one: Sent,
    change: (request: { address: string; fields: Record<string, string> }) => {
      address?: string;
      fields?: Record<string, string>;
      signature?: string;
    },
  ): Promise<number> {
    const address = one.message.statusCallback ?? "";
    const fields = callbackFields(one.message, scene.twilio, { status: "undelivered" });
    const signature = signatureOf(scene.twilio, address, fields);
    const changed = change({ address, fields });
    return await callBack(
      changed.address ?? address,
      changed.fields ?? fields,
      changed.signature ?? signature,
    );
  }

  it("is believed: another token, another field, another note, no signature", async () => {
    const one = await sent();
    const other = await sent();
    const strange = { accountSid: "AC", authToken: "wrong" };
    const refused = [
      await forge(one, ({ address, fields }) => ({
        signature: signatureOf(strange, address, fields),
      })),
      await forge(one, ({ fields }) => ({ fields: { ...fields, ErrorCode: "30003" } })),
      await forge(one, () => ({ address: other.message.statusCallback ?? "" })),
      await forge(one, () => ({ signature: "" })),
    ];
    expect(refused).toEqual([403, 403, 403, 403]);
    expect(await smsOf(one)).toBe("delivered");
    expect(await smsOf(other)).toBe("delivered");
  });

  it("names a note that it made up, even where it is signed", async () => {
    const one = await sent();
    const address = (one.message.statusCallback ?? "").replace(/.$/, "x");
    const fields = callbackFields(one.message, scene.twilio, { status: "undelivered" });
    expect(await callBack(address, fields, signatureOf(scene.twilio, address, fields))).toBe(204);
    expect(await smsOf(one)).toBe("delivered");
  });

  it("is answered where the body is no form, or too large", async () => {
    const address = (await sent()).message.statusCallback ?? "";
    const post = async (type: string, body: string): Promise<number> =>
      (await fetch(address, { method: "POST", headers: { "content-type": type }, body })).status;
    expect(await post("application/json", "{}")).toBe(415);
    const large = `A=${"a".repeat(20_000)}`;
    expect(await post("application/x-www-form-urlencoded", large)).toBe(413);
  });

  it("finds a number, a text or a signature in the log", async () => {
    const one = await sent();
    const report = { status: "undelivered", errorCode: 30_003 };
    expect(await scene.twilio.report(one.message, report)).toBe(204);
    const log = scene.logs.join("");
    for (const told of ["delivery.attempted", "sms.reported", one.note.id]) {
      expect(log).toContain(told);
    }
    for (const secret of [PHONE, PHONE.slice(3), TEXT, "Sarah", tokenOf(one)]) {
      expect(log).not.toContain(secret);
    }
  });
});
