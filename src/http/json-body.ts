/** Reads a JSON body with limits on its size and depth, and refuses what is not JSON by its fault. */
import { isUtf8 } from "node:buffer";
import type { ServerResponse } from "node:http";
import express, { type Request } from "express";
import { z } from "zod";
import { MAX_NESTING, readJsonText } from "../platform/json-text.ts";
import { Problem } from "../platform/problems.ts";

/** Unless the route says otherwise. */
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1_024;

/**
 * Larger ones of a route that are read or worked on at a time: about 1.5 GB of memory if each has 4 MB
 * and unfolds to ten times as much.
 */
export const MAX_LARGE_BODIES = 32;
const RETRY_SECONDS = 1;

export type ReadJsonBody = (req: Request, res: ServerResponse) => Promise<unknown>;

/**
 * @throws Problem `unsupported_media_type`, `body_too_large`, `invalid_json` or `invalid_request`; and
 * `unavailable` where too many large ones are in hand.
 */
export function createJsonBodyReader(limitBytes = DEFAULT_BODY_LIMIT_BYTES): ReadJsonBody {
  const readRaw = express.raw({ type: () => true, limit: limitBytes });
  let largeOnes = 0;

  /** Holds a place until the answer is out. */
  function takePlace(res: ServerResponse): void {
    if (largeOnes >= MAX_LARGE_BODIES) {
      throw new Problem("unavailable", "Too many large requests are worked on now.", {
        retryAfterSeconds: RETRY_SECONDS,
      });
    }
    largeOnes += 1;
    res.once("close", () => (largeOnes -= 1));
  }

  return async (req, res) => {
    assertJsonType(req);
    if (limitBytes > DEFAULT_BODY_LIMIT_BYTES && mayBeLarge(req)) takePlace(res);
    const bytes = await readBytes(readRaw, req, res, limitBytes);
    if (bytes.length === 0) throw new Problem("invalid_json", "The body is empty.");
    if (!isUtf8(bytes)) throw new Problem("invalid_json", "The body is not UTF-8.");
    return parseJson(bytes.toString("utf8"));
  };
}

/** One that does not say how long it is may be as long as is allowed; compressed ones unfold. */
function mayBeLarge({ headers }: Request): boolean {
  const length = headers["content-length"];
  const isPlain = headers["content-encoding"] === undefined;
  return length === undefined || !isPlain || Number(length) > DEFAULT_BODY_LIMIT_BYTES;
}

function assertJsonType(req: Request): void {
  const [mediaType = "", ...parameters] = (req.headers["content-type"] ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  const isJson =
    mediaType === "application/json" &&
    (charset === undefined || /^charset="?utf-?8"?$/.test(charset));
  if (!isJson) {
    throw new Problem("unsupported_media_type", "Send the body as application/json in UTF-8.");
  }
}

async function readBytes(
  readRaw: ReturnType<typeof express.raw>,
  req: Request,
  res: ServerResponse,
  limitBytes: number,
): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > limitBytes) {
    throw new Problem("body_too_large", `The body may hold ${limitBytes} bytes.`);
  }
  await new Promise<void>((resolve, reject) => {
    readRaw(req, res, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(readProblem(error, limitBytes));
    });
  });
  const body: unknown = req.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** The `type` that express's reader gives its errors. */
const readErrorSchema = z.object({ type: z.string() });

function readProblem(error: unknown, limitBytes: number): Problem {
  const { data } = readErrorSchema.safeParse(error);
  switch (data?.type ?? "") {
    case "entity.too.large":
      return new Problem("body_too_large", `The body may hold ${limitBytes} bytes.`);
    case "encoding.unsupported":
      return new Problem(
        "unsupported_media_type",
        "Compress with gzip, deflate or br, or not at all.",
      );
    case "request.aborted":
    case "request.size.invalid":
      return new Problem("invalid_request", "The body is not as long as Content-Length says.");
    default:
      return new Problem("invalid_request", "The body could not be read.");
  }
}

function parseJson(text: string): unknown {
  const reading = readJsonText(text);
  switch (reading.kind) {
    case "value":
      return reading.value;
    case "not_json":
      throw new Problem("invalid_json", "The body is not valid JSON.");
    case "too_deep":
      throw new Problem("invalid_request", `The body is nested deeper than ${MAX_NESTING} levels.`);
    case "forbidden_name":
      throw new Problem("invalid_request", "The body holds a name that is not allowed.", {
        errors: [{ path: reading.path, message: "is not an allowed name" }],
      });
  }
}
