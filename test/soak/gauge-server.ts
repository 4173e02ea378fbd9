/**
 * Loaded into each process of the product before its own code (`--import`): on SIGUSR2 it collects the
 * garbage, if it was told to, and writes what memory is in use and what keeps the process busy to the
 * file named by `MEMORY_GAUGE`.
 */
import { renameSync, writeFileSync } from "node:fs";

const file = process.env["MEMORY_GAUGE"];

if (file !== undefined) {
  process.on("SIGUSR2", () => {
    globalThis.gc?.({ type: "major", execution: "sync" });
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) {
      resources[name] = (resources[name] ?? 0) + 1;
    }
    writeFileSync(`${file}.new`, JSON.stringify({ ...process.memoryUsage(), resources }));
    // Whoever waits for the file never sees half of it.
    renameSync(`${file}.new`, file);
  });
}
