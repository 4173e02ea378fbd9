/** Reads a JSON body with limits on its size and depth, and refuses what is not JSON by its fault. */
import { isUtf8 } from "node:buffer";
import type { ServerResponse } from "node:http";
import type { Request } from "express";
import { MAX_NESTING, readJsonText } from "../platform/json-text.ts";
import { Problem } from "../platform/problems.ts";
import {
  createBytesReader,
  DEFAULT_BODY_LIMIT_BYTES,
  hasMediaType,
  type ReadBody,
} from "./body-bytes.ts";

/**
 * Larger ones of a route that are read or worked on at a time: about 1.5 GB of memory if each has 4 MB
 * and unfolds to ten times as much.
 */
export const MAX_LARGE_BODIES = 32;
const RETRY_SECONDS = 1;

/**
 * @throws Problem `unsupported_media_type`, `body_too_large`, `invalid_json` or `invalid_request`; and
 * `unavailable` where too many large ones are in hand.
 */
export function createJsonBodyReader(limitBytes = DEFAULT_BODY_LIMIT_BYTES): ReadBody {
  const readBytes = createBytesReader(limitBytes);
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
    const bytes = await readBytes(req, res);
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
  if (!hasMediaType(req, "application/json")) {
    throw new Problem("unsupported_media_type", "Send the body as application/json in UTF-8.");
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
