/**
 * Loaded into a measured server before its own code (`--import`): on SIGUSR2 it collects its
 * garbage and writes what memory it uses to the file named by `MEMORY_GAUGE`. Without this, the
 * figure would be about when the last collection happened to be.
 */
import { renameSync, writeFileSync } from "node:fs";

const file = process.env["MEMORY_GAUGE"];

if (file !== undefined) {
  process.on("SIGUSR2", () => {
    // Twice: what the first collection only found unreachable through weak references goes then.
    for (let round = 0; round < 2; round += 1) globalThis.gc?.();
    writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
    // Whoever waits for the file never sees half of it.
    renameSync(`${file}.new`, file);
  });
}
