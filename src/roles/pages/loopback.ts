/** Tells whether a request comes from this very machine, and was meant for it. */
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
// How a dual-stack listener names IPv4 peers.
loopback.addSubnet("::ffff:127.0.0.0", 104, "ipv6");

/** @param address an IP address as a socket reports it, without a port. */
export function isLoopbackAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 6 ? "ipv6" : "ipv4");
}

/**
 * Whether a `Host` or an origin's host names this machine. A page of another site whose name
 * was made to resolve to 127.0.0.1 (DNS rebinding) still sends its own name here.
 */
export function isLoopbackHost(host: string): boolean {
  const url = URL.parse(`http://${host}`);
  if (url === null || url.host === "" || url.pathname !== "/" || url.username !== "") return false;
  const name = url.hostname.replace(/^\[|\]$/g, "");
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}
