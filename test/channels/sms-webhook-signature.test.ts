/** Who signed a message, and when: what a stranger sends, alters or plays again is found out. */
import { describe, expect, it } from "vitest";
import { checkSignature, signBody } from "../../src/channels/sms/webhook-signature.ts";
import { signAsGateway } from "../support/sms-gateway.ts";

const NOW = Date.UTC(2026, 10, 22, 5);
const SECONDS = NOW / 1_000;
const SECRET = "a-secret-that-both-sides-have-0123456789";
const BODY = '{"message_id":"1","status":"delivered"}';
const RIGHT = signAsGateway(SECRET, BODY, SECONDS);
const V1 = RIGHT.slice(RIGHT.indexOf("v1="));

const check = (header: string | undefined, body = BODY, now = NOW, secrets = [SECRET]): string =>
  checkSignature(secrets, { header, body }, now);

describe("a signature", () => {
  it("is made as the documentation says", () => {
    expect(signBody([SECRET], BODY, NOW + 999)).toBe(RIGHT);
    // By hand: printf '1795323600.{}' | openssl dgst -sha256 -hmac 'key'
    expect(signBody(["key"], "{}", 1_795_323_600_000)).toBe(
      "t=1795323600,v1=982d9330509b74bda991c535c087b18e1e6bd3faac3818825b6c2d5253a3b1bf",
    );
  });

  it("holds, and also beside others while secrets are changed", () => {
    expect(check(RIGHT)).toBe("valid");
    expect(check(signBody(["new", SECRET], BODY, NOW))).toBe("valid");
    expect(check(RIGHT, BODY, NOW, ["new", SECRET])).toBe("valid");
    expect(check(`${RIGHT},v2=something`)).toBe("valid");
    expect(check(RIGHT.replace(",", ", "))).toBe("valid");
  });

  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["one without a time", V1],
    ["one with another time", `t=${SECONDS + 1},${V1}`],
    ["one cut short", RIGHT.slice(0, -1)],
    ["one with a secret of somebody else's", signAsGateway("another", BODY, SECONDS)],
    ["one among very many", `t=${SECONDS},${"v1=00,".repeat(10)}${V1}`],
    ["one in capitals", RIGHT.toUpperCase()],
    ["only a time", `t=${SECONDS}`],
    ["a time that is none", `t=NaN,${V1}`],
  ])("%s is refused", (_name, header) => {
    expect(check(header)).toBe("invalid");
  });

  it("does not fit another body", () => {
    expect(check(RIGHT, `${BODY} `)).toBe("invalid");
  });

  it("cannot be played again later, nor be made for later", () => {
    expect(check(RIGHT, BODY, NOW + 300_000)).toBe("valid");
    expect(check(RIGHT, BODY, NOW + 301_000)).toBe("too_old");
    expect(check(RIGHT, BODY, NOW - 301_000)).toBe("too_old");
  });
});
