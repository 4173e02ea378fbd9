/**
 * Field encryption at rest: AES-256-GCM when a key is set, plain text in development without one. Of
 * several keys the first seals and all open, which is how a key is changed while what it sealed lies
 * in Redis.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomFillSync,
} from "node:crypto";

export interface Sealing {
  seal(plain: string): string;
  /** @throws Error if the text was sealed with another key, altered, or sealed by a newer version. */
  open(sealed: string): string;
  /** A keyed digest (hex), for looking up a value that must not be readable in a key. */
  digest(value: string): string;
  /** The same with every key, the first one's first: what was put down with an older key. */
  digests(value: string): string[];
  /** Names of the keys, which say nothing about them. */
  readonly keyIds: readonly string[];
}

/** With one key: `e1:` and what is sealed. No other version meets a name that it does not know. */
const MARK = "e1:";
/** With several: `e2:`, the name of the key, a colon, and what is sealed, so that it is opened at once. */
const NAMED_MARK = "e2:";
const ID_CHARACTERS = 8;
const NAMED_FROM = NAMED_MARK.length + ID_CHARACTERS + 1;
const ANY_MARK = /^e\d+:/;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Random bytes are fetched for so many seals at once: 12 of them by themselves cost 4 us. */
const STOCKED_IVS = 256;

function createIvs(): () => Buffer {
  const stock = Buffer.alloc(STOCKED_IVS * IV_BYTES);
  let next = stock.length;
  return () => {
    if (next === stock.length) {
      randomFillSync(stock);
      next = 0;
    }
    next += IV_BYTES;
    return stock.subarray(next - IV_BYTES, next);
  };
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

function keyOf(bytes: Buffer): Key {
  const id = createHash("sha256").update(bytes).digest("hex").slice(0, ID_CHARACTERS);
  return { id, bytes };
}

/** @throws Error if it was sealed with another key or altered. */
function decipher(key: Key, base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const iv = bytes.subarray(0, IV_BYTES);
  const opening = createDecipheriv("aes-256-gcm", key.bytes, iv);
  opening.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = opening.update(bytes.subarray(IV_BYTES + TAG_BYTES));
  // In this mode all text comes from `update`; what is left is to check the tag.
  opening.final();
  return text.toString("utf8");
}

/** What bears no name is tried with each key: all but the last may fail. */
function decipherWithAny(keys: readonly Key[], base64: string): string {
  const [first, ...others] = keys;
  if (first === undefined)
    throw new Error("stored data is encrypted; DATA_ENCRYPTION_KEY is not set");
  if (others.length === 0) return decipher(first, base64);
  try {
    return decipher(first, base64);
  } catch {
    return decipherWithAny(others, base64);
  }
}

function open(keys: readonly Key[], sealed: string): string {
  if (sealed.startsWith(MARK)) return decipherWithAny(keys, sealed.slice(MARK.length));
  if (!ANY_MARK.test(sealed)) return sealed;
  if (!sealed.startsWith(NAMED_MARK)) throw new Error("a newer version sealed this");
  const id = sealed.slice(NAMED_MARK.length, NAMED_FROM - 1);
  const key = keys.find((each) => each.id === id);
  if (key === undefined) throw new Error(`DATA_ENCRYPTION_KEY does not hold the key ${id}`);
  return decipher(key, sealed.slice(NAMED_FROM));
}

/** @param given 32 bytes each, the one that seals first; none, or undefined, for no encryption. */
export function createSealing(...given: readonly (Buffer | undefined)[]): Sealing {
  const keys = given.filter((bytes) => bytes !== undefined).map(keyOf);
  const digestKeys: (Buffer | string)[] = keys.map(({ bytes }) => bytes);
  if (keys.length === 0) digestKeys.push("schoolbell-development");
  const digestWith = (key: Buffer | string, value: string): string =>
    createHmac("sha256", key).update(value).digest("hex");
  const [digestKey = ""] = digestKeys;

  const common = {
    open: (sealed: string) => open(keys, sealed),
    digest: (value: string) => digestWith(digestKey, value),
    digests: (value: string) => digestKeys.map((key) => digestWith(key, value)),
    keyIds: keys.map(({ id }) => id),
  };
  const [first, ...others] = keys;
  if (first === undefined) return { ...common, seal: (plain) => plain };
  const mark = others.length === 0 ? MARK : `${NAMED_MARK}${first.id}:`;
  const nextIv = createIvs();
  return {
    ...common,
    seal(plain) {
      const iv = nextIv();
      const cipher = createCipheriv("aes-256-gcm", first.bytes, iv);
      const text = cipher.update(plain, "utf8");
      cipher.final();
      return mark + Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64");
    },
  };
}
