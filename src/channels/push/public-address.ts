/**
 * Which IP addresses lie on the public internet. A push endpoint is whatever a client sent, so
 * everything else is closed to it: this host, the networks around it, cloud metadata services.
 */
import { BlockList, isIP } from "node:net";

/** IANA's special-purpose registry, plus what clouds keep for themselves in public ranges. */
const CLOSED_IPV4: readonly [network: string, prefix: number][] = [
  ["0.0.0.0", 8], // this host
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carrier-grade NAT; Alibaba's metadata service
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // Azure's host agent
  ["169.254.0.0", 16], // link-local; the metadata service of most clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments; Oracle's metadata service
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
];

/** Inside 2000::/3, the only global unicast space in use; all else of IPv6 is closed anyway. */
const CLOSED_IPV6: readonly [network: string, prefix: number][] = [
  ["2001::", 23], // protocol assignments, Teredo
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4, which embeds any IPv4 address
  ["3fff::", 20], // documentation
];

/** RFC 6052: networks without IPv4 reach it through this prefix, the address in the last 4 bytes. */
const NAT64_PREFIX = "64:ff9b::";

function blockList(
  ranges: readonly [network: string, prefix: number][],
  family: "ipv4" | "ipv6",
): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}

const closedIpv4 = blockList(CLOSED_IPV4, "ipv4");
const closedIpv6 = blockList(CLOSED_IPV6, "ipv6");
const globalIpv6 = blockList([["2000::", 3]], "ipv6");
const nat64 = blockList([[NAT64_PREFIX, 96]], "ipv6");

/** The IPv4 address in the last four bytes, from the canonical text of a NAT64 address. */
function embeddedIpv4(canonical: string): string {
  const groups = canonical.slice(NAT64_PREFIX.length).split(":");
  const value = groups.reduce(
    (sum, group) => sum * 0x1_0000 + Number.parseInt(group || "0", 16),
    0,
  );
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
}

/** URL parsing writes an address in the one form of RFC 5952. */
function canonicalIpv6(address: string): string | undefined {
  const [withoutZone = ""] = address.split("%");
  return URL.parse(`http://[${withoutZone}]/`)?.hostname.slice(1, -1);
}

/** True only for a literal IPv4 or IPv6 address (without brackets) that is publicly routed. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !closedIpv4.check(address, "ipv4");
  if (isIP(address) !== 6) return false;
  const canonical = canonicalIpv6(address);
  if (canonical === undefined) return false;
  if (nat64.check(canonical, "ipv6")) return isPublicAddress(embeddedIpv4(canonical));
  return globalIpv6.check(canonical, "ipv6") && !closedIpv6.check(canonical, "ipv6");
}
