/**
 * The transport under Twilio's SDK. Its own cannot say whether a failed request had been written,
 * which decides between trying again and never trying again; nor can it be pointed elsewhere.
 */
import twilio from "twilio";
import { Agent, request, type Dispatcher } from "undici";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import { withDeadline } from "../deadline.ts";
import { TwilioRefusal } from "./errors.ts";
import { markingConnector } from "./marking-connector.ts";

/** A message resource is about 1 KB. */
const MAX_ANSWER_BYTES = 65_536;
/** The rest of the time is for the answer; connecting must fail first, as that may be retried. */
const CONNECT_SHARE = 0.5;

type RequestOptions = Parameters<InstanceType<typeof twilio.RequestClient>["request"]>[0];
type SdkResponse<T> = Awaited<ReturnType<InstanceType<typeof twilio.RequestClient>["request"]>> & {
  body: T;
};

const refusalSchema = z.object({ code: z.number() });
const formValue = z.union([z.string(), z.number(), z.boolean()]);
const formSchema = z.record(z.string(), z.union([formValue, z.array(formValue)]).optional());

export interface TwilioRequestClientOptions {
  readonly apiUrl: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
}

/** A class because the SDK asks for one. */
export class TwilioRequestClient extends twilio.RequestClient {
  readonly #options: TwilioRequestClientOptions;
  readonly #agent: Agent;

  constructor(options: TwilioRequestClientOptions) {
    super({ autoRetry: false });
    this.#options = options;
    this.#agent = new Agent({
      connect: markingConnector(options.timeoutMs * CONNECT_SHARE),
      // No connection is kept: one that Twilio closes as it is used again would leave an SMS
      // `unknown`, and a handshake is nothing beside the price of a message.
      pipelining: 0,
    });
  }

  /** @throws TwilioRefusal, NotConnected, or the network's error once connected. */
  override async request<T>(options: RequestOptions): Promise<SdkResponse<T>> {
    const { apiUrl, timeoutMs, clock } = this.#options;
    return await withDeadline(clock, timeoutMs, async (signal) => {
      const answer = await request(redirected(options.uri, apiUrl), {
        // A message is created by POST; what was created is asked for by GET.
        ...(options.method.toUpperCase() === "GET"
          ? { method: "GET", query: plainQuery(options.params) }
          : { method: "POST", body: formBody(options.data) }),
        headers: { ...plainHeaders(options.headers), ...basicAuth(options) },
        dispatcher: this.#agent,
        signal,
      });
      const isList = options.method.toUpperCase() === "GET";
      const body = await readJson(answer.body, isList ? MAX_LIST_BYTES : MAX_ANSWER_BYTES);
      if (answer.statusCode < 200 || answer.statusCode >= 300) {
        const [retryAfter] = [answer.headers["retry-after"]].flat();
        const refusal = refusalSchema.safeParse(body);
        throw new TwilioRefusal(answer.statusCode, refusal.data?.code, retryAfter);
      }
      // The SDK reads each field of the body by itself and takes absent ones.
      return { statusCode: answer.statusCode, body: body as T, headers: {} };
    });
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}

/** Puts `apiUrl` (with its path, if any) where the SDK put Twilio's host. */
function redirected(uri: string, apiUrl: string | undefined): string {
  if (apiUrl === undefined) return uri;
  const { pathname, search } = new URL(uri);
  return apiUrl.replace(/\/+$/, "") + pathname + search;
}

function plainHeaders(headers: unknown): Record<string, string> {
  return z.record(z.string(), z.string()).catch({}).parse(headers);
}

/** Of a list, which Twilio cuts into pages: each of fifty, about 50 KB. */
const MAX_LIST_BYTES = 1_048_576;

function plainQuery(params: unknown): Record<string, string> {
  const values = z.record(z.string(), formValue).catch({}).parse(params);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function basicAuth({ username = "", password = "" }: RequestOptions): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

function formBody(data: unknown): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(formSchema.parse(data ?? {}))) {
    for (const item of [value].flat()) if (item !== undefined) form.append(name, String(item));
  }
  return form.toString();
}

/** `{}` for what is no JSON, too long or cut short: the status alone has already decided. */
async function readJson(body: Dispatcher.ResponseData["body"], limit: number): Promise<unknown> {
  try {
    let text = "";
    for await (const chunk of body.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length > limit) return {};
    }
    return JSON.parse(text);
  } catch {
    return {};
  }
}
