/**
 * Name resolution for requests to endpoints that clients chose. The check sits where the socket
 * gets its address, so that a name cannot resolve to one thing when judged and another when dialled.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** Code of the error with which a name that leads to a closed address is refused. */
export const CLOSED_ADDRESS = "ECLOSEDADDRESS";

export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A `lookup` for sockets; one closed address among several is enough to refuse the name. */
export function createCheckedLookup(resolve: ResolveAll = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        const refusal = new Error("the push endpoint resolves to an address that is not public");
        callback(Object.assign(refusal, { code: CLOSED_ADDRESS }), []);
        return;
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
