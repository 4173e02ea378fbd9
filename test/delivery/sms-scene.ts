/** The SMS stage with Twilio's SDK, a Twilio of our own, and the route where that calls back. */
import { expect } from "vitest";
import type { FindSms } from "../../src/channels/channel.ts";
import { guardChannel } from "../../src/channels/breaker/guarded-channel.ts";
import { NO_SMS_CAPS } from "../../src/channels/sms/caps.ts";
import { createTwilioSmsChannel } from "../../src/channels/sms/sms-channel-twilio.ts";
import { UNLIMITED_THROUGHPUT } from "../../src/channels/sms/throughput.ts";
import { createTwilioSignature } from "../../src/channels/sms/twilio-signature.ts";
import { carrierRoutes } from "../../src/delivery/carrier-routes.ts";
import { createSmsStage } from "../../src/delivery/sms-stage.ts";
import { decideRate } from "../../src/http/rate-decision.ts";
import { createLogger } from "../../src/platform/logger.ts";
import type { NewNote } from "../../src/tracking/ledger-changes.ts";
import type { Note } from "../../src/tracking/note.ts";
import { createTestBreakers } from "../channels/breaker/test-breakers.ts";
import { openServer, type OpenServer } from "../http/open-server.ts";
import { startTwilio, type TwilioMessage, type TwilioService } from "../support/twilio.ts";
import { LEASE_MS, openTestLedger, type TestLedger } from "../tracking/test-ledger.ts";
import { createTestDesk } from "./test-desk.ts";
import { createTestSmsParts, SMS_TIMEOUT_MS, type TestSmsParts } from "./test-sms-parts.ts";

const SENDER = "+15005550001";
const USED_UP = { limit: 1, current: 1, previous: 1, needed: 1 };
export const PHONE = "+46701234567";
export const TEXT = "The meeting is at nine.";

export interface SmsScene {
  readonly book: TestLedger;
  readonly twilio: TwilioService;
  readonly server: OpenServer;
  readonly parts: TestSmsParts;
  /** Everything that was logged, as text. */
  readonly logs: readonly string[];
  /** What an SMS says from now on. */
  text: string;
  /** Numbers that were put down as having asked for no more. */
  readonly optedOut: string[];
  /** A note whose SMS is due; `changes` where more of it matters. */
  note(changes?: Partial<NewNote>): Promise<Note>;
  /** Works whatever is due now, until nothing is. */
  work(): Promise<void>;
  /** Lets so much time pass, and works what falls due. */
  pass(ms: number): Promise<void>;
  /** Sends a note's SMS; returns what Twilio took, if it took it. */
  send(note: Note): Promise<TwilioMessage | undefined>;
  /** Done with each message that Twilio takes, before it answers. */
  beforeAnswer(message: TwilioMessage): Promise<void>;
  close(): Promise<void>;
}

/** @param workers how many take up each note at the same time */
export async function openSmsScene({ workers = 1 } = {}): Promise<SmsScene> {
  const book = await openTestLedger({ outcomes: true });
  const { clock, ledger, store } = book;
  const twilio = await startTwilio({
    now: () => clock.now(),
    beforeAnswer: (message) => scene.beforeAnswer(message),
  });
  const optedOut: string[] = [];
  const optOuts = {
    isOptedOut: async (number: string) => optedOut.includes(number),
    optOut: async (number: string) => void optedOut.push(number),
  };
  const logs: string[] = [];
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void logs.push(line) },
  });
  const desk = createTestDesk({ clock, ledger, logger });
  const toE164 = (number: string): string => number;
  // Its address is what Twilio is given, so it listens before there is a channel.
  const find: FindSms = async (query) => await channel.find(query);
  const parts = createTestSmsParts(book, desk, find, logger);
  const { tokens, reports } = parts;
  const { authToken } = twilio;
  const server = await openServer(
    carrierRoutes({
      signature: {
        isRight: (...request) =>
          createTwilioSignature({ authToken, base: server.url }).isRight(...request),
        refusal: (path) => createTwilioSignature({ authToken, base: server.url }).refusal(path),
      },
      tokens,
      reports,
      optOuts,
      toE164,
    }),
    {
      logger,
      // Twilio reports from few addresses, and does not come back with what was refused for its number.
      rateLimiter: { take: async () => decideRate(USED_UP, false, clock.now()) },
    },
  );
  const channel = createTwilioSmsChannel({
    settings: {
      accountSid: twilio.accountSid,
      authToken,
      apiUrl: twilio.url,
      sender: { from: SENDER },
      timeoutMs: SMS_TIMEOUT_MS,
      callbackBase: server.url,
    },
    clock,
  });
  const stage = createSmsStage({
    desk,
    clock,
    leaseMs: LEASE_MS,
    random: () => 0.5,
    providers: [
      {
        name: "twilio",
        channel: guardChannel({
          channel,
          breakers: createTestBreakers("sms", clock),
          originOf: () => "twilio",
        }),
        throughput: UNLIMITED_THROUGHPUT,
      },
    ],
    caps: NO_SMS_CAPS,
    optOuts,
    toE164,
    messages: { sms: (note) => ({ noteId: note.id, text: scene.text }) },
    lookup: parts.lookup,
  });

  async function work(): Promise<void> {
    for (;;) {
      const due = await Promise.all(
        Array.from({ length: store.keyspace.shards }, (_, shard) =>
          ledger.leaseDue(shard, LEASE_MS, 100),
        ),
      );
      const items = due.flat().filter(({ stage: name }) => name === "sms");
      if (items.length === 0) return;
      for (const item of items) {
        await Promise.all(Array.from({ length: workers }, () => stage.process([item])));
      }
    }
  }

  const scene: SmsScene = {
    book,
    twilio,
    server,
    parts,
    logs,
    text: TEXT,
    optedOut,
    work,
    note: async (changes = {}) =>
      await book.create({
        stage: "sms",
        channels: { websocket: book.shut(), push: book.shut(), sms: book.open() },
        dueAt: clock.now(),
        request: { data: { student_name: "Sarah" }, correlation_id: "c", phone_number: PHONE },
        ...changes,
      }),
    async pass(ms) {
      const until = clock.now() + ms;
      while (clock.now() < until) {
        clock.advance(Math.min(5_000, until - clock.now()));
        await work();
      }
    },
    async send(note) {
      const before = twilio.received.length;
      await work();
      expect((await book.read(note.id)).channels.sms.state).not.toBe("pending");
      return twilio.received[before];
    },
    async close() {
      await server.close();
      await channel.close();
      await twilio.close();
      await book.store.close();
    },
    beforeAnswer: async () => {},
  };
  return scene;
}
