/** Where Redis is: one server, or some nodes of a cluster, as `REDIS_URL` says it. */

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What every node of a cluster is entered with. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

export type RedisPlace =
  | { readonly kind: "server"; readonly url: string }
  | {
      readonly kind: "cluster";
      readonly nodes: readonly RedisNode[];
      readonly access: RedisAccess;
    };

const DEFAULT_PORT = 6379;

/** A comma may stand in a password; what follows one between two addresses is an address. */
const SEPARATOR = /\s*,\s*(?=rediss?:\/\/)/;

/** The single addresses of a comma list. */
export function splitAddresses(urls: string): string[] {
  return urls.trim().split(SEPARATOR);
}

/** Several addresses are nodes of a cluster; a single one is a server until it says otherwise. */
export function parsePlace(urls: string): RedisPlace {
  const addresses = splitAddresses(urls);
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) return { kind: "server", url: only };
  return clusterAt(addresses);
}

/** User, password and TLS are those of the first address, and hold for nodes found later, too. */
export function clusterAt(addresses: readonly string[]): RedisPlace {
  const urls = addresses.map((address) => new URL(address));
  const [first] = urls;
  const username = decodeURIComponent(first?.username ?? "");
  const password = decodeURIComponent(first?.password ?? "");
  return {
    kind: "cluster",
    nodes: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? DEFAULT_PORT : Number(port),
    })),
    access: {
      ...(username === "" ? {} : { username }),
      ...(password === "" ? {} : { password }),
      ...(first?.protocol === "rediss:" ? { tls: {} } : {}),
    },
  };
}

/** For people: without user and password. */
export function describePlace(urls: string): string {
  return splitAddresses(urls)
    .map((address) => {
      const { hostname, port } = new URL(address);
      return `${hostname}:${port === "" ? DEFAULT_PORT : port}`;
    })
    .join(", ");
}
