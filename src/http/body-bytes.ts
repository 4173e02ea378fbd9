/** Reads the bytes of a request's body, no more than a route allows, and says what was wrong with them. */
import type { ServerResponse } from "node:http";
import express, { type Request } from "express";
import { z } from "zod";
import { Problem } from "../platform/problems.ts";

/** Unless the route says otherwise. */
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1_024;

export type ReadBody = (req: Request, res: ServerResponse) => Promise<unknown>;
export type ReadBytes = (req: Request, res: ServerResponse) => Promise<Buffer>;

/** @throws Problem `unsupported_media_type`, `body_too_large` or `invalid_request`. */
export function createBytesReader(limitBytes: number): ReadBytes {
  const readRaw = express.raw({ type: () => true, limit: limitBytes });
  return async (req, res) => {
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
  };
}

/** Whether a request says that its body is of this type, in UTF-8 where it names a character set. */
export function hasMediaType(req: Request, wanted: string): boolean {
  const [mediaType = "", ...parameters] = (req.headers["content-type"] ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  return mediaType === wanted && (charset === undefined || /^charset="?utf-?8"?$/.test(charset));
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
