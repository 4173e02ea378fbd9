/** What a person chose: language, time zone, number, channels, quiet hours. */
import { z } from "zod";
import {
  localeSchema,
  phoneNumberSchema,
  timeZoneSchema,
} from "../contract/notification-request.ts";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import type { Sealing } from "../platform/sealing.ts";

const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 21:30");

export const preferencesSchema = z.object({
  locale: localeSchema
    .optional()
    .describe("language of messages whose request names none; default: the installation's"),
  timezone: timeZoneSchema
    .optional()
    .describe(
      "zone of quiet hours, and of times in messages whose request names none; default: UTC",
    ),
  phone_number: phoneNumberSchema
    .optional()
    .describe("number for SMS whose request names none; default: none, so no such SMS"),
  channels: z
    .object({
      websocket: z.boolean().default(true).describe("false: not in the open tab; default true"),
      push: z.boolean().default(true).describe("false: no push; default true"),
      sms: z
        .boolean()
        .default(true)
        .describe("false: no SMS, not even a critical one; default true"),
    })
    .prefault({})
    .describe("what may be used; what is critical uses websocket and push all the same"),
  quiet_hours: z
    .object({
      from: wallTime.meta({ description: "when they begin, HH:MM", examples: ["21:30"] }),
      to: wallTime.meta({ description: "when they end, HH:MM", examples: ["07:00"] }),
    })
    .optional()
    .describe("hours in which push and SMS wait, unless critical; default: none"),
});
export type Preferences = z.infer<typeof preferencesSchema>;

export const DEFAULT_PREFERENCES: Preferences = preferencesSchema.parse({});

/** Other processes see a change after at most so long. */
const CACHE_MS = 60_000;
const CACHE_USERS = 10_000;
/** One field: preferences are read and replaced whole. */
const FIELD = "preferences";

export interface PreferenceStore {
  /** Cached for a minute; defaults for a user without any. */
  read(userId: string): Promise<Preferences>;
  readMany(userIds: readonly string[]): Promise<Map<string, Preferences>>;
  replace(userId: string, preferences: Preferences): Promise<void>;
}

export function createPreferenceStore(options: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "error">;
}): PreferenceStore {
  const { redis, keyspace, sealing, clock, logger } = options;
  const cache = new Map<string, { preferences: Preferences; until: number }>();
  const keyOf = (userId: string): string =>
    keyspace.sharded(keyspace.shardOfUser(userId), `prefs:${userId}`);

  function remember(userId: string, preferences: Preferences): void {
    cache.delete(userId);
    cache.set(userId, { preferences, until: clock.now() + CACHE_MS });
    const [oldest] = cache.keys();
    if (cache.size > CACHE_USERS && oldest !== undefined) cache.delete(oldest);
  }

  async function readMany(userIds: readonly string[]): Promise<Map<string, Preferences>> {
    const found = new Map<string, Preferences>();
    const missing: string[] = [];
    for (const userId of new Set(userIds)) {
      const cached = cache.get(userId);
      if (cached !== undefined && cached.until > clock.now()) found.set(userId, cached.preferences);
      else missing.push(userId);
    }
    const replies = await runForEach(redis, missing, (userId) => ["hget", keyOf(userId), FIELD]);
    replies.forEach((sealed, index) => {
      const userId = missing[index] ?? "";
      const preferences =
        typeof sealed === "string" ? readSealed(userId, sealed) : DEFAULT_PREFERENCES;
      remember(userId, preferences);
      found.set(userId, preferences);
    });
    return found;
  }

  /** What cannot be read must hold up nobody, neither this person's messages nor anyone else's. */
  function readSealed(userId: string, sealed: string): Preferences {
    try {
      return preferencesSchema.parse(JSON.parse(sealing.open(sealed)));
    } catch (error) {
      logger.error({ err: error, user_id: userId }, "preferences cannot be read; defaults apply");
      return DEFAULT_PREFERENCES;
    }
  }

  return {
    readMany,
    read: async (userId) => (await readMany([userId])).get(userId) ?? DEFAULT_PREFERENCES,
    async replace(userId, preferences) {
      await redis.hset(keyOf(userId), FIELD, sealing.seal(JSON.stringify(preferences)));
      remember(userId, preferences);
    },
  };
}
