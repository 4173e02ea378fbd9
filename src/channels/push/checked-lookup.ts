/**
 * Name resolution for requests to endpoints that clients chose. The check sits where the socket
 * gets its address, so that a name cannot resolve to one thing when judged and another when dialled.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Clock } from "../../platform/clock.ts";
import { isPublicAddress } from "./public-address.ts";

/** Code of the error with which a name that leads to a closed address is refused. */
export const CLOSED_ADDRESS = "ECLOSEDADDRESS";

export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Longer than a name server takes that answers at all; the person at the browser waits for it. */
const LOOK_MS = 2_000;

const isClosed = (addresses: readonly LookupAddress[]): boolean =>
  addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address));

/**
 * A look ahead of any request: whether a host is known to lead to a closed address. One that cannot be
 * resolved now is not: every send looks again, and name servers have bad moments.
 */
export function createLookAhead(
  clock: Pick<Clock, "after">,
  resolve: ResolveAll = systemLookup,
): (hostname: string) => Promise<boolean> {
  return async (hostname) =>
    await new Promise<boolean>((tell) => {
      const cancel = clock.after(LOOK_MS, () => tell(false));
      resolve(hostname, { all: true }, (error, addresses) => {
        cancel();
        tell(error === null && isClosed(addresses));
      });
    });
}

/** A `lookup` for sockets; one closed address among several is enough to refuse the name. */
export function createCheckedLookup(resolve: ResolveAll = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const [first] = addresses;
      if (first === undefined || isClosed(addresses)) {
        const refusal = new Error("the push endpoint resolves to an address that is not public");
        callback(Object.assign(refusal, { code: CLOSED_ADDRESS }), []);
        return;
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
