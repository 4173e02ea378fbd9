/** Reads a JSON body and leaves it as it came: a signature is over its bytes, not over what they say. */
import { Problem } from "../platform/problems.ts";
import {
  createBytesReader,
  DEFAULT_BODY_LIMIT_BYTES,
  hasMediaType,
  type ReadBody,
} from "./body-bytes.ts";

/** @throws Problem `unsupported_media_type`, `body_too_large` or `invalid_request`. */
export function createTextReader(limitBytes = DEFAULT_BODY_LIMIT_BYTES): ReadBody {
  const readBytes = createBytesReader(limitBytes);
  return async (req, res): Promise<string> => {
    if (!hasMediaType(req, "application/json")) {
      throw new Problem("unsupported_media_type", "Send the body as application/json in UTF-8.");
    }
    return (await readBytes(req, res)).toString("utf8");
  };
}
