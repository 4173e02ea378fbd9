/** Reads `.env`, where there is one, before anything else runs: `node --import`. Set variables win. */
import { existsSync } from "node:fs";

const FILE = ".env";

// Node's own --env-file-if-exists complains on every start when the file is not there.
if (existsSync(FILE)) process.loadEnvFile(FILE);
