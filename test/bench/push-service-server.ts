/**
 * The tests' push service as a process of its own, over https, with browsers subscribed to it. Started
 * by the bench, which finds the subscriptions in the file that it named.
 */
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { startPushService } from "../support/push-service.ts";

const settings = z
  .object({
    CERT: z.string(),
    KEY: z.string(),
    VAPID_PUBLIC_KEY: z.string(),
    BROWSERS: z.coerce.number(),
    SUBSCRIPTIONS_FILE: z.string(),
  })
  .parse(process.env);

const service = await startPushService({
  certificate: { cert: settings.CERT, key: settings.KEY },
});
const browsers = Array.from({ length: settings.BROWSERS }, () =>
  service.subscribe(settings.VAPID_PUBLIC_KEY),
);
await writeFile(settings.SUBSCRIPTIONS_FILE, JSON.stringify(browsers));
process.stdout.write(`${service.origin}\n`);
process.on("SIGTERM", () => process.exit(0));
