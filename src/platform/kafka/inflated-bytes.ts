/** Where decompressed bytes gather: what has been written already can be referred to again. */

export interface InflatedBytes {
  /** Adds `bytes` as they are. */
  literal(bytes: Uint8Array): void;
  /**
   * Adds what is found `distance` bytes back, also where that overlaps with what is being added.
   * @throws RangeError if there is nothing so far back
   */
  repeat(distance: number, length: number): void;
  bytes(): Buffer;
}

/**
 * @param expected how many bytes it will be, where that is known
 * @param limit more than that is a fault, of the sender or an attack
 */
export function createInflatedBytes(expected: number, limit: number): InflatedBytes {
  let buffer = Buffer.alloc(Math.min(expected, limit));
  let length = 0;

  function reserve(more: number): void {
    const needed = length + more;
    if (needed > limit) throw new RangeError(`more than ${limit} bytes in compressed records`);
    if (needed <= buffer.length) return;
    const larger = Buffer.alloc(Math.min(limit, Math.max(needed, 2 * buffer.length)));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }

  return {
    literal(bytes) {
      reserve(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    repeat(distance, count) {
      if (distance < 1 || distance > length) {
        throw new RangeError("compressed records refer to what is not there");
      }
      reserve(count);
      const end = length + count;
      while (length < end) {
        // At most what is there already: an overlapping piece repeats itself.
        const from = length - distance;
        const step = Math.min(distance, end - length);
        buffer.copyWithin(length, from, from + step);
        length += step;
      }
    },
    bytes: () => buffer.subarray(0, length),
  };
}
