/** A certificate authority of a test's own, and a certificate for 127.0.0.1 by it (RFC 5280, in DER). */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import type { ServerCertificate } from "./provider-server.ts";

export interface ThrowawayAuthority {
  /** The authority's own certificate, in PEM: what a client is to trust. */
  readonly ca: string;
  readonly server: ServerCertificate;
}

const HOUR_MS = 3_600_000;

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  text: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  ipAddress: 0x87,
} as const;

/** Object identifiers, as they are encoded. */
const OID = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
} as const;

/** Nothing here is longer than 65,535 bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const oid = (name: keyof typeof OID): Buffer => der(TAG.oid, Buffer.from(OID[name], "hex"));
const ALGORITHM = der(TAG.sequence, oid("ecdsaWithSha256"));

function nameOf(commonName: string): Buffer {
  const entry = der(TAG.sequence, oid("commonName"), der(TAG.text, Buffer.from(commonName)));
  return der(TAG.sequence, der(TAG.set, entry));
}

/** `20260901080000Z` */
function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return der(TAG.time, Buffer.from(digits));
}

function extension(name: keyof typeof OID, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(TAG.boolean, Buffer.of(0xff))] : [];
  return der(TAG.sequence, oid(name), ...flag, der(TAG.octets, value));
}

function certificate(of: {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly extension: Buffer;
}): string {
  const now = Date.now();
  const body = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.of(2))),
    // Positive, and without a leading zero.
    der(TAG.integer, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ALGORITHM,
    nameOf(of.issuer),
    der(TAG.sequence, time(now - HOUR_MS), time(now + 24 * HOUR_MS)),
    nameOf(of.subject),
    of.publicKey.export({ type: "spki", format: "der" }),
    der(TAG.extensions, der(TAG.sequence, of.extension)),
  );
  const signature = der(TAG.bits, Buffer.of(0), sign("sha256", body, of.issuerKey));
  const base64 = der(TAG.sequence, body, ALGORITHM, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

export function createThrowawayAuthority(): ThrowawayAuthority {
  const issuer = "Throwaway authority of a test";
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const isAuthority = der(TAG.sequence, der(TAG.boolean, Buffer.of(0xff)));
  const loopback = der(TAG.sequence, der(TAG.ipAddress, Buffer.of(127, 0, 0, 1)));
  const shared = { issuer, issuerKey: authority.privateKey };
  return {
    ca: certificate({
      ...shared,
      subject: issuer,
      publicKey: authority.publicKey,
      extension: extension("basicConstraints", true, isAuthority),
    }),
    server: {
      cert: certificate({
        ...shared,
        subject: "127.0.0.1",
        publicKey: server.publicKey,
        extension: extension("subjectAltName", false, loopback),
      }),
      key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    },
  };
}
