/** The try-out page, the API's documentation, and in development what the page needs to sign in. */
import { createTokenSigner } from "../../auth/token-signer.ts";
import { createSmsOutbox } from "../../channels/sms/outbox.ts";
import { readSmsSettings } from "../../channels/sms/settings.ts";
import { docsRoutes } from "../../http/docs.ts";
import type { Route } from "../../http/route.ts";
import type { Foundation } from "../foundation.ts";
import { bundleBrowser } from "./bundle.ts";
import { devRoutes } from "./dev-routes.ts";
import { isLoopbackAddress } from "./loopback.ts";
import { landingRoutes, pageRoutes } from "./page-routes.ts";

/** Bundles the browser's files and returns every route that a person opens. */
export async function siteRoutes(foundation: Foundation): Promise<Route[]> {
  const { config, secrets, clock, redis, keyspace, sealing } = foundation;
  const assets = await bundleBrowser();
  const routes = [...docsRoutes(), ...pageRoutes(assets)];
  const [secret] = secrets.jwtSecrets;
  if (config.NODE_ENV === "production" || secret === undefined) return routes;
  const outbox = createSmsOutbox({ redis, keyspace, sealing });
  const signer = createTokenSigner(secret, {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    now: () => clock.now(),
  });
  return [
    ...routes,
    ...landingRoutes(assets),
    ...devRoutes({
      signer,
      clock,
      isLoopback: isLoopbackAddress,
      outbox: {
        inUse: readSmsSettings(config).kind === "outbox",
        list: async () =>
          (await outbox.list()).map(({ phoneNumber, text, at, noteId }) => ({
            to: phoneNumber,
            text,
            notificationId: noteId,
            at: new Date(at).toISOString(),
          })),
      },
    }),
  ];
}
