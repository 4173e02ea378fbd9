/** What a fault is to a run: something that strikes, lasts and is lifted. */
import type { Audience } from "../audience/audience.ts";
import type { Cast } from "../cast.ts";
import type { Random } from "../../../support/random.ts";
import type { ChaosStore, StoreKind } from "../store.ts";
import type { ChaosKafka, ReadingGroup } from "../stage/chaos-kafka.ts";
import type { Clocks } from "../clocks.ts";
import type { Providers } from "../stage/providers.ts";

/** Which way a message goes that shows when a fault is got over. */
export type AffectedPath = "websocket" | "push" | "sms" | "kafka";

export interface Restored {
  readonly survivedUntil: number;
  readonly restoredAt: number;
}

/** What a fault may lay hands on. */
export interface Scene {
  readonly cast: Cast;
  readonly store: ChaosStore;
  readonly kafka: ChaosKafka;
  /** What the ingest role reads, and as which group. */
  readonly reading: ReadingGroup;
  readonly providers: Providers;
  readonly audience: Audience;
  readonly clocks: Clocks;
  readonly random: Random;
  readonly now: () => number;
  /** Redis came back as it was at one time, at another; epoch ms. */
  readonly wasRestored: (restored: Restored) => void;
}

export interface Fault {
  /** Strikes, and resolves once it is lifted, with the moment from which on recovery counts. */
  strike(scene: Scene): Promise<{ readonly liftedAt: number }>;
  readonly path: AffectedPath;
  /** Means something only where data are kept so. */
  readonly needs?: StoreKind;
  /** Whose clocks it steps: only then do processes go by a clock that can be. */
  readonly stepsClocks?: true;
  /** Others would change what it means: it strikes alone. */
  readonly alone?: true;
}
