/**
 * Loaded into a measured server before its own code (`--import`): on SIGUSR2 it collects its
 * garbage and writes what memory it uses to the file named by `MEMORY_GAUGE`. Without this, the
 * figure would be about when the last collection happened to be.
 */
import { renameSync, writeFileSync } from "node:fs";

const file = process.env["MEMORY_GAUGE"];

if (file !== undefined) {
  process.on("SIGUSR2", () => {
    // The last resort gives memory back that V8 has reserved for new objects: up to 48 MB that
    // one process happens to have grown into and another has not, 3 KB for each of 15,000 sockets.
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
    // Whoever waits for the file never sees half of it.
    renameSync(`${file}.new`, file);
  });
}
