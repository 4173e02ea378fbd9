/** What goes wrong with the files of `DATA_DIR`, in terms of the setting. */
import { ConfigError } from "./config.ts";

/**
 * Does `work` in the folder.
 * @throws ConfigError naming DATA_DIR where the system refuses; anything else as it was thrown
 */
export async function inDataDir<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemRefusal(error)) throw error;
    throw new ConfigError(
      `DATA_DIR: must be a folder that can be written, not ${dataDir} (${error.message})`,
      { cause: error },
    );
  }
}

/** Only the system's own errors name the call that failed. */
function isSystemRefusal(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error && "code" in error;
}
