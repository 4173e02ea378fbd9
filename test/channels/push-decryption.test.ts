/** The tests' own browser half of Web Push is right: RFC 8291's published example opens with it. */
import { describe, expect, it } from "vitest";
import { decryptPush } from "../support/push-service-decryption.ts";

/** RFC 8291, section 5. */
const RFC_8291 = {
  plaintext: "When I grow up, I want to be a watermelon",
  receiver: {
    privateKey: Buffer.from("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "base64url"),
    authSecret: Buffer.from("BTBZMqHH6r4Tts7J_aSIgg", "base64url"),
  },
  message: Buffer.from(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml" +
      "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT" +
      "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    "base64url",
  ),
};

describe("decryption of a push message", () => {
  it("opens the example of RFC 8291", () => {
    const opened = decryptPush(RFC_8291.message, RFC_8291.receiver);
    expect(opened.toString("utf8")).toBe(RFC_8291.plaintext);
  });

  it("opens nothing with another browser's secret", () => {
    const stranger = { ...RFC_8291.receiver, authSecret: Buffer.alloc(16, 7) };
    expect(() => decryptPush(RFC_8291.message, stranger)).toThrow(/authenticate/);
  });

  it("opens nothing that was altered on the way", () => {
    const altered = Buffer.from(RFC_8291.message);
    altered.writeUInt8(altered.readUInt8(100) ^ 1, 100);
    expect(() => decryptPush(altered, RFC_8291.receiver)).toThrow(/authenticate/);
  });
});
