/**
 * Mends how kafkajs 2.2.4 gathers the headers of a record: it copies all that it has for each further
 * one. 10,000 headers, which fit into 80 KB, stop the process for 20 s, and a few more for so long
 * that it loses its place in the group and meets the same record again.
 */
import { createRequire } from "node:module";

interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Reads an array whose items `reader` knows to read. Only the headers of records are such arrays. */
type ReadArray = (this: unknown, reader: unknown) => readonly Header[];

/** What the client does with what it has read: the one thing that it asks of it. */
interface Gathered {
  reduce(): Record<string, Buffer | null>;
}

let mended = false;

/** Before the first connection; a second call changes nothing. Of several of a name, the last counts. */
export function gatherHeadersOnce(): void {
  if (mended) return;
  mended = true;
  const prototype = decoderPrototype();
  const readArray = prototype.readVarIntArray;
  prototype.readVarIntArray = function (reader): Gathered {
    const headers = readArray.call(this, reader);
    return {
      reduce: () => Object.fromEntries(headers.map(({ key, value }) => [key, value])),
    };
  };
}

function decoderPrototype(): {
  get readVarIntArray(): ReadArray;
  set readVarIntArray(read: (this: unknown, reader: unknown) => Gathered);
} {
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/protocol/decoder");
  if (typeof loaded !== "function" || typeof loaded.prototype?.readVarIntArray !== "function") {
    throw new Error("kafkajs has changed inside: see whether it still copies headers one by one");
  }
  return loaded.prototype;
}
