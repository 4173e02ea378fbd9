/** Everybody who has a page open: hundreds of the shipped client in one process, and what each went through. */
import type { TabLog } from "../evidence.ts";
import { createPage, type Page } from "./page.ts";
import { hasReached, type HistoryPlace } from "./standing.ts";

/** Somebody with pages open. */
export interface Reader {
  readonly userId: string;
  readonly tabs: number;
  /** Whether these pages tell the server what arrived. */
  readonly acks: boolean;
}

export interface AudienceOptions {
  /** Where a gateway answers, `ws:` or `http:`; asked before each attempt. A rejection is a failed one. */
  readonly addressOf: (userId: string) => string | Promise<string>;
  readonly token: (userId: string) => Promise<string>;
  readonly people: readonly Reader[];
  /** Epoch ms. */
  readonly now: () => number;
  /** 0 to 1: spreads reconnects, and draws who misbehaves. */
  readonly random?: () => number;
}

export interface Audience {
  /** Opens further pages. */
  open(people: readonly Reader[]): void;
  pages(): readonly Page[];
  /** So many of the pages, drawn at random. */
  some(share: number): readonly Page[];
  /** These pages, or a share of all, read nothing for so long; resolves when they read again. */
  stopReading(whose: number | readonly Page[], durationMs: number): Promise<void>;
  /** Sockets go without a goodbye; the pages come back by themselves. */
  vanish(whose: number | readonly Page[]): void;
  /** Browsers die and are opened again after so long, with the storage they had. */
  reopen(whose: number | readonly Page[], afterMs: number): void;
  /** How many pages are connected, and how many there are. */
  connected(): { readonly pages: number; readonly of: number };
  /** Resolves when all pages are connected at the same time. `hurry`: none waits for its next attempt. */
  allConnected(options?: { readonly hurry?: boolean }): Promise<void>;
  /**
   * Names of pages that are away, owe an acknowledgement, or have neither received nor been told the
   * loss of all up to where their user's history stands.
   */
  behind(positions: ReadonlyMap<string, HistoryPlace>): readonly string[];
  /** Resolves when none is behind. */
  quietAt(positions: ReadonlyMap<string, HistoryPlace>): Promise<void>;
  /** What each page went through up to now. */
  tabs(): readonly TabLog[];
  close(): void;
}

const HURRY_MS = 500;

/** Opens the pages; none is connected yet. */
export function openAudience(options: AudienceOptions): Audience {
  const { addressOf, token, now, random = Math.random } = options;
  const pages: Page[] = [];
  const tabsOf = new Map<string, number>();
  const waiting = new Set<() => void>();
  let looking = false;

  /** What is waited for is looked at once for all that a turn of the event loop brought. */
  function changed(): void {
    if (looking || waiting.size === 0) return;
    looking = true;
    setImmediate(() => {
      looking = false;
      for (const look of waiting) look();
    });
  }

  function until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!holds()) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    return promise;
  }

  function open(people: readonly Reader[]): void {
    for (const { userId, tabs, acks } of people) {
      for (let count = 0; count < tabs; count += 1) {
        const number = (tabsOf.get(userId) ?? 0) + 1;
        tabsOf.set(userId, number);
        const name = `${userId}/${number}`;
        const shared = { addressOf, token, now, random, onChange: changed };
        const page = createPage({ userId, name, acks, ...shared });
        pages.push(page);
        page.open();
      }
    }
  }
  open(options.people);

  const some = (share: number): Page[] => pages.filter(() => random() < share);
  const those = (whose: number | readonly Page[]): readonly Page[] =>
    typeof whose === "number" ? some(whose) : whose;

  function behind(positions: ReadonlyMap<string, HistoryPlace>): string[] {
    return pages
      .filter((page) => {
        const wanted = positions.get(page.userId);
        const reached = wanted === undefined || hasReached(page.standing(), wanted);
        return !page.isConnected() || page.owesAck() || !reached;
      })
      .map(({ name }) => name);
  }

  return {
    open,
    pages: () => pages,
    some,
    behind,
    async stopReading(whose, durationMs) {
      await Promise.all(those(whose).map((page) => page.stopReading(durationMs)));
    },
    vanish(whose) {
      for (const page of those(whose)) page.vanish();
    },
    reopen(whose, afterMs) {
      for (const page of those(whose)) page.reopen(afterMs);
    },
    connected: () => ({
      pages: pages.filter((page) => page.isConnected()).length,
      of: pages.length,
    }),
    async allConnected({ hurry = false } = {}) {
      const hurrying = setInterval(() => {
        if (hurry) for (const page of pages) page.retryNow();
      }, HURRY_MS);
      await until(() => pages.every((page) => page.isConnected()));
      clearInterval(hurrying);
    },
    quietAt: async (positions) => await until(() => behind(positions).length === 0),
    tabs: () => pages.map((page) => page.log()),
    close() {
      for (const page of pages) page.close();
    },
  };
}
