/** What an operator reads while the due index is out of reach. */
import { expect, it, vi } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";
import { createDuePoller } from "../../src/queue/due-poller.ts";
import { createManualClock } from "../support/manual-clock.ts";

it("one line when it cannot be read, and one when it can again", async () => {
  const clock = createManualClock();
  const lines: string[] = [];
  let looks = 0;
  let away = true;
  const poller = createDuePoller({
    index: {
      async leaseDue() {
        looks += 1;
        if (away) throw new Error("Command timed out");
        return [];
      },
    },
    shards: 1,
    leaseMs: 30_000,
    intervalMs: 250,
    clock,
    enqueue: async () => {},
    logger: createLogger({
      level: "info",
      destination: { write: (line) => void lines.push(String(JSON.parse(line).msg)) },
    }),
  });
  poller.start();
  const lookAgain = async (): Promise<void> => {
    const before = looks;
    await vi.waitFor(() => {
      clock.advance(250);
      expect(looks).toBeGreaterThan(before);
    });
  };
  for (let look = 0; look < 3; look += 1) await lookAgain();
  away = false;
  for (let look = 0; look < 3; look += 1) await lookAgain();
  await poller.close();
  expect(lines).toEqual(["the due index cannot be read", "the due index can be read again"]);
});
