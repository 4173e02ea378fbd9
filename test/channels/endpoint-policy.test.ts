/** Which addresses a client can make this service call: only the push services, never our own network. */
import type { LookupAddress } from "node:dns";
import { describe, expect, it } from "vitest";
import { createCheckedLookup } from "../../src/channels/push/checked-lookup.ts";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import { isPublicAddress } from "../../src/channels/push/public-address.ts";
import { readConfig } from "../../src/platform/config.ts";

/** What a socket would be told; the text of the error where it is told nothing. */
async function lookUp(addresses: string[]): Promise<LookupAddress[] | string> {
  return await new Promise((resolve) => {
    const lookup = createCheckedLookup((_hostname, _options, callback) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    });
    lookup("push.example.org", { all: true }, (error, found) => {
      const list = [found].flat().filter((item) => typeof item !== "string");
      resolve(error === null ? list : error.message);
    });
  });
}

describe("the endpoint policy, as configured by default", () => {
  const policy = createEndpointPolicy(readConfig({}).PUSH_ALLOWED_HOSTS);

  it.each([
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://web.push.apple.com/QGuQyav",
    "https://sg2p.notify.windows.com/w/?token=abc",
    "https://FCM.googleapis.com:443/fcm/send/abc",
  ])("allows %s", (endpoint) => {
    expect(policy.judge(endpoint)).toMatchObject({ allowed: true, trusted: false });
  });

  it.each([
    ["not a url", "malformed"],
    ["", "malformed"],
    ["http://fcm.googleapis.com/fcm/send/abc", "not_https"],
    ["file:///etc/passwd", "not_https"],
    ["https://user:secret@fcm.googleapis.com/", "credentials"],
    ["https://user@fcm.googleapis.com/", "credentials"],
    ["https://fcm.googleapis.com:8443/", "port"],
    ["https://fcm.googleapis.com:22/", "port"],
    ["https://example.org/", "host"],
    ["https://fcm.googleapis.com.example.org/", "host"],
    ["https://evilfcm.googleapis.com/", "host"],
    ["https://push.apple.com/", "host"],
    ["https://evilpush.apple.com/", "host"],
    ["https://8.8.8.8/", "host"],
    ["https://127.0.0.1/", "closed_address"],
    ["https://2130706433/", "closed_address"],
    ["https://0x7f.1/", "closed_address"],
    ["https://169.254.169.254/latest/meta-data", "closed_address"],
    ["https://[::1]/", "closed_address"],
    ["https://[::ffff:10.0.0.1]/", "closed_address"],
    ["https://localhost/", "host"],
  ])("refuses %s as %s", (endpoint, reason) => {
    expect(policy.judge(endpoint)).toEqual({ allowed: false, reason });
  });
});

describe("the endpoint policy with an operator's own entries", () => {
  it("takes a full origin, and nothing beside it", () => {
    const policy = createEndpointPolicy(["http://127.0.0.1:9999"]);
    expect(policy.judge("http://127.0.0.1:9999/push/1")).toMatchObject({
      allowed: true,
      trusted: true,
    });
    expect(policy.judge("http://127.0.0.1:9998/push/1").allowed).toBe(false);
    expect(policy.judge("https://127.0.0.1:9999/push/1").allowed).toBe(false);
    expect(policy.judge("http://a:b@127.0.0.1:9999/push/1").allowed).toBe(false);
    expect(policy.judge("https://fcm.googleapis.com/x").allowed).toBe(false);
  });

  it("does not take a private address that is listed without its origin", () => {
    const policy = createEndpointPolicy(["127.0.0.1", "10.1.2.3"]);
    expect(policy.judge("https://10.1.2.3/")).toEqual({ allowed: false, reason: "closed_address" });
    expect(policy.judge("https://127.0.0.1/")).toEqual({
      allowed: false,
      reason: "closed_address",
    });
  });

  it.each(["https://push.example.org/path", "ftp://push.example.org", "a b", "*", "*.*.org"])(
    "names an entry it cannot understand: %s",
    (entry) => {
      expect(() => createEndpointPolicy([entry])).toThrow(entry);
    },
  );
});

describe("public addresses", () => {
  it.each(["8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2a00:1450:4001::200e"])(
    "%s is public",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ["this host", "0.0.0.0"],
    ["loopback", "127.8.9.1"],
    ["private", "10.0.0.1"],
    ["private", "172.16.0.1"],
    ["private", "172.31.255.255"],
    ["private", "192.168.1.1"],
    ["link-local and metadata", "169.254.169.254"],
    ["Alibaba's metadata, inside carrier-grade NAT", "100.100.100.200"],
    ["carrier-grade NAT", "100.127.255.255"],
    ["Azure's host agent", "168.63.129.16"],
    ["multicast", "224.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["IPv6 unspecified", "::"],
    ["IPv6 loopback", "::1"],
    ["IPv4 mapped into IPv6", "::ffff:127.0.0.1"],
    ["IPv4 mapped into IPv6, in hex", "::ffff:a00:1"],
    ["even a public IPv4 mapped into IPv6", "::ffff:8.8.8.8"],
    ["unique local", "fd00:ec2::254"],
    ["IPv6 link-local", "fe80::1"],
    ["IPv6 link-local with a zone", "fe80::1%eth0"],
    ["IPv6 multicast", "ff02::1"],
    ["6to4", "2002:7f00:1::"],
    ["Teredo", "2001:0:7f00:1::"],
    ["NAT64 of loopback", "64:ff9b::7f00:1"],
    ["NAT64 of a private address", "64:ff9b::192.168.0.1"],
    ["not an address", "localhost"],
    ["nothing", ""],
  ])("%s is not: %s", (_what, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it("sees through NAT64, the only way to IPv4 in some networks", () => {
    expect(isPublicAddress("64:ff9b::8.8.8.8")).toBe(true);
    expect(isPublicAddress("64:ff9b::808:808")).toBe(true);
  });
});

describe("name resolution for push endpoints", () => {
  it("passes public addresses on", async () => {
    expect(await lookUp(["8.8.8.8", "2a00:1450:4001::200e"])).toHaveLength(2);
  });

  it("refuses a name that also resolves to an inner address", async () => {
    expect(await lookUp(["8.8.8.8", "10.0.0.1"])).toMatch(/not public/);
    expect(await lookUp(["::ffff:127.0.0.1"])).toMatch(/not public/);
    expect(await lookUp([])).toMatch(/not public/);
  });
});
