/**
 * One HTTP route as data: what it takes, who may call it, what it answers. The same zod schemas
 * validate requests and describe them in the OpenAPI document.
 */
import type { z } from "zod";
import type { Caller } from "../contract/caller.ts";
import type { ProblemCode } from "../platform/problems.ts";

export interface Reply {
  readonly status: number;
  /** Sent as JSON, or as it is when `type` is given. Left out: an empty body. */
  readonly body?: unknown;
  /** Content type of a body that is not JSON. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every handler gets beside its parsed input. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  /** Value of a request header, by lower-case name. */
  header(name: string): string | undefined;
}

export interface ResponseDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
}

/** `default`: per service or user, by scope. `subscribe`: the lower one. `none`: probes and pages. */
export type RateLimitKind = "default" | "subscribe" | "none";

interface RouteBase {
  readonly method: "get" | "post" | "put" | "delete";
  /** Express 5 syntax: `/notifications/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly rateLimit: RateLimitKind;
  /** 64 KB unless told. */
  readonly bodyLimitBytes?: number;
  /**
   * What the body is sent as; JSON unless told. A form's schema is that of `form-body.ts`; signed JSON
   * is handed over as text, for the handler to check and to parse.
   */
  readonly bodyType?: "json" | "form" | "signed_json";
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  /** Beyond those every route can give (401, 429, 500, 503). */
  readonly problems: readonly ProblemCode[];
  /**
   * Request headers that mean something here, as an object schema. It only describes them: a
   * handler reads and checks its headers itself.
   */
  readonly headers?: z.ZodType;
  /** A body that shows how it is done, for the API description. */
  readonly example?: unknown;
  /** False for pages and scripts, which the API description leaves out. */
  readonly documented?: boolean;
}

/** `undefined` where a route declares no schema for that part of the request. */
export type Parsed<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteInput<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
  C,
> {
  readonly params: Parsed<P>;
  readonly query: Parsed<Q>;
  readonly body: Parsed<B>;
  readonly caller: C;
  readonly context: RequestContext;
}

interface Schemas<
  P extends z.ZodType | undefined,
  Q extends z.ZodType | undefined,
  B extends z.ZodType | undefined,
> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
}

/** A route whose caller's token was verified. `scopes`: any one of them is enough; empty: any token. */
export interface TokenAccess {
  readonly access: "token";
  readonly scopes: readonly string[];
}

export interface PublicAccess {
  readonly access: "public";
}

/** The form in which the HTTP kit mounts a route; its input types were checked by `defineRoute`. */
export interface Route extends RouteBase {
  readonly security: TokenAccess | PublicAccess;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly cost?: (body: unknown) => number;
  readonly handle: (input: {
    params: unknown;
    query: unknown;
    body: unknown;
    caller: Caller | undefined;
    context: RequestContext;
  }) => Promise<Reply> | Reply;
}

/** A route that needs a token; its handler knows the caller. */
export function tokenRoute<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  route: RouteBase &
    Schemas<P, Q, B> & {
      readonly scopes: readonly string[];
      /** As how many requests it counts against the caller's limit. Left out: 1. */
      readonly cost?: (body: Parsed<B>) => number;
      readonly handle: (input: RouteInput<P, Q, B, Caller>) => Promise<Reply> | Reply;
    },
): Route {
  const { scopes, ...rest } = route;
  // The kit parses with exactly these schemas before it calls, so the input has the parsed types.
  return { ...rest, security: { access: "token", scopes } } as unknown as Route;
}

/** A route that anyone may call. */
export function publicRoute<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  route: RouteBase &
    Schemas<P, Q, B> & {
      readonly handle: (input: RouteInput<P, Q, B, undefined>) => Promise<Reply> | Reply;
    },
): Route {
  return { ...route, security: { access: "public" } } as unknown as Route;
}
