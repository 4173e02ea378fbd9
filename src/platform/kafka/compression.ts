/**
 * Reads what producers, or the settings of a topic, have compressed. kafkajs knows only gzip,
 * without a limit, and gives up for good at the first record in any of Kafka's other three forms.
 */
import { promisify } from "node:util";
import { unzip, zstdDecompress } from "node:zlib";
import kafkajs from "kafkajs";
import { lz4Decompress } from "./lz4.ts";
import { snappyDecompress } from "./snappy.ts";

/**
 * Of one batch. It is at most 1 MiB unless the broker is told otherwise, and events shrink to a tenth;
 * what grows sixty-four-fold is meant to fill the memory.
 */
export const MAX_INFLATED_BYTES = 64 * 1_048_576;

// Node does not find all names that a CommonJS module exports; these are behind the default.
const { CompressionCodecs, CompressionTypes } = kafkajs;

const inflateGzip = promisify(unzip);
const inflateZstd = promisify(zstdDecompress);

type Decompress = (compressed: Buffer) => Promise<Buffer>;

/** Before the first connection; a second call changes nothing. */
export function readAllCompressions(): void {
  // The client's own unfolds without a limit.
  CompressionCodecs[CompressionTypes.GZIP] = codec((compressed) =>
    inflateGzip(compressed, { maxOutputLength: MAX_INFLATED_BYTES }),
  );
  CompressionCodecs[CompressionTypes.Snappy] = codec(async (compressed) =>
    snappyDecompress(compressed, MAX_INFLATED_BYTES),
  );
  CompressionCodecs[CompressionTypes.LZ4] = codec(async (compressed) =>
    lz4Decompress(compressed, MAX_INFLATED_BYTES),
  );
  CompressionCodecs[CompressionTypes.ZSTD] = codec((compressed) =>
    inflateZstd(compressed, { maxOutputLength: MAX_INFLATED_BYTES }),
  );
}

function codec(decompress: Decompress) {
  return () => ({
    decompress,
    compress: async () => {
      throw new Error("records are written without compression");
    },
  });
}
