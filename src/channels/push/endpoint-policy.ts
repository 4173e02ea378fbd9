/** Which push endpoints this service will talk to: an address a client sends is never simply believed. */
import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

export type EndpointRefusal =
  | "malformed"
  | "not_https"
  | "credentials"
  | "port"
  | "host"
  | "closed_address";

export type EndpointVerdict =
  /** `trusted`: the operator named this very origin, so its address is not checked. */
  | { readonly allowed: true; readonly trusted: boolean; readonly origin: string }
  | { readonly allowed: false; readonly reason: EndpointRefusal };

export interface EndpointPolicy {
  judge(endpoint: string): EndpointVerdict;
}

const HOST_PATTERN = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/;

interface AllowList {
  readonly origins: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  /** `.push.apple.com` for `*.push.apple.com`: a suffix that leaves at least one label in front. */
  readonly suffixes: readonly string[];
}

/** @throws RangeError that names an entry which is neither host, `*.host` nor origin. */
function parseAllowList(entries: readonly string[]): AllowList {
  const origins = new Set<string>();
  const hosts = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of entries) {
    const lower = entry.toLowerCase();
    const url = lower.includes("://") ? URL.parse(lower) : null;
    if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) {
      origins.add(url.origin);
    } else if (!HOST_PATTERN.test(lower)) {
      throw new RangeError(
        `${entry} is not a host, a *.host or an origin such as http://127.0.0.1:9999`,
      );
    } else if (lower.startsWith("*.")) {
      suffixes.push(lower.slice(1));
    } else {
      hosts.add(lower);
    }
  }
  return { origins, hosts, suffixes };
}

/** The address inside `[...]` for IPv6, the host as it is otherwise. */
function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/**
 * @param allowedHosts hosts, `*.` wildcards (any depth, not the bare domain), or full origins.
 * @throws RangeError for an entry that is none of these.
 */
export function createEndpointPolicy(allowedHosts: readonly string[]): EndpointPolicy {
  const { origins, hosts, suffixes } = parseAllowList(allowedHosts);

  const refusalOf = (url: URL): EndpointRefusal | undefined => {
    if (url.protocol !== "https:") return "not_https";
    if (url.port !== "") return "port";
    const host = bareHost(url.hostname);
    if (isIP(host) !== 0 && !isPublicAddress(host)) return "closed_address";
    if (hosts.has(host) || suffixes.some((suffix) => host.endsWith(suffix))) return undefined;
    return "host";
  };

  return {
    judge(endpoint) {
      const url = URL.parse(endpoint);
      if (url === null) return { allowed: false, reason: "malformed" };
      if (url.username !== "" || url.password !== "") {
        return { allowed: false, reason: "credentials" };
      }
      const { origin } = url;
      if (origins.has(origin)) return { allowed: true, trusted: true, origin };
      const reason = refusalOf(url);
      if (reason !== undefined) return { allowed: false, reason };
      return { allowed: true, trusted: false, origin };
    },
  };
}
