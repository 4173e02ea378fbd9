/** Reads a JSON body with limits on its size and depth, and refuses what is not JSON by its fault. */
import { isUtf8 } from "node:buffer";
import express, { type Request, type RequestHandler, type Response } from "express";
import { z } from "zod";
import { Problem } from "../platform/problems.ts";

/** Unless the route says otherwise. */
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1_024;

/** Far deeper than any real body; shallow enough for every recursive reader after us. */
const MAX_NESTING = 100;

export type ReadJsonBody = (req: Request, res: Response) => Promise<unknown>;

/** @throws Problem `unsupported_media_type`, `body_too_large`, `invalid_json` or `invalid_request`. */
export function createJsonBodyReader(limitBytes = DEFAULT_BODY_LIMIT_BYTES): ReadJsonBody {
  const readRaw = express.raw({ type: () => true, limit: limitBytes });
  return async (req, res) => {
    assertJsonType(req);
    const bytes = await readBytes(readRaw, req, res, limitBytes);
    if (bytes.length === 0) throw new Problem("invalid_json", "The body is empty.");
    if (!isUtf8(bytes)) throw new Problem("invalid_json", "The body is not UTF-8.");
    return parseJson(bytes.toString("utf8"));
  };
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
  readRaw: RequestHandler,
  req: Request,
  res: Response,
  limitBytes: number,
): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > limitBytes) {
    throw new Problem("body_too_large", `The body may hold ${limitBytes} bytes.`);
  }
  await new Promise<void>((resolve, reject) => {
    void readRaw(req, res, (error?: unknown) => {
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
  if (isNestedDeeper(text, MAX_NESTING)) {
    throw new Problem("invalid_request", `The body is nested deeper than ${MAX_NESTING} levels.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("invalid_json", "The body is not valid JSON.");
  }
  // The walk is paid for only by a body that spells the name, plainly or with escapes.
  if (text.includes("__proto__") || /\\u005f/i.test(text)) assertNoPrototypeKey(value, "");
  return value;
}

/** Counts brackets outside of strings before anything is built from them. */
function isNestedDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === 0x5c) index += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) {
      inString = true;
    } else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === 0x5d || character === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** A key that would change an object's prototype when copied carelessly is never let in. */
function assertNoPrototypeKey(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const innerPath = path === "" ? key : `${path}.${key}`;
    if (key === "__proto__") {
      throw new Problem("invalid_request", "The body holds a name that is not allowed.", {
        errors: [{ path: innerPath, message: "is not an allowed name" }],
      });
    }
    assertNoPrototypeKey(inner, innerPath);
  }
}
