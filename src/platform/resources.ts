/** Everything that is opened registers how it is closed; closing runs in reverse order. */

export interface Resources {
  /** Registers a release. It runs once, after those registered later. */
  add(name: string, release: () => unknown): void;
  /** Releases all, last first; one that fails or hangs does not keep the rest open. */
  close(deadlineMs: number): Promise<ReleaseFailure[]>;
}

export interface ReleaseFailure {
  readonly name: string;
  readonly reason: string;
}

export function createResources(): Resources {
  const releases: { name: string; release: () => unknown }[] = [];

  return {
    add(name, release) {
      releases.push({ name, release });
    },

    async close(deadlineMs) {
      const failures: ReleaseFailure[] = [];
      const endsAt = performance.now() + deadlineMs;
      for (let entry = releases.pop(); entry !== undefined; entry = releases.pop()) {
        const { name, release } = entry;
        const remainingMs = Math.max(100, endsAt - performance.now());
        let timer: NodeJS.Timeout | undefined;
        try {
          await Promise.race([
            Promise.resolve(release()),
            new Promise((_resolve, reject) => {
              timer = setTimeout(() => reject(new Error("did not stop in time")), remainingMs);
            }),
          ]);
        } catch (error) {
          failures.push({ name, reason: error instanceof Error ? error.message : String(error) });
        } finally {
          clearTimeout(timer);
        }
      }
      return failures;
    },
  };
}
