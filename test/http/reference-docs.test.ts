/** docs/TOKENS.md and docs/WEBSOCKET.md name everything that a token or a frame may hold. */
import { readFileSync } from "node:fs";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { KNOWN_SCOPES } from "../../src/auth/scopes.ts";
import { clientFrameSchema, FRAME_ERROR_CODES } from "../../src/contract/frames.ts";
import { readSocketRequest } from "../../src/gateway/upgrade.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");

/** The rows of the table whose first title is `title`: the words in backquotes of each first cell. */
function firstCells(page: string, title: string): string[] {
  const table =
    page.split(new RegExp(`^\\| ${title} +\\|.*\n.*\n`, "m"))[1]?.split("\n\n")[0] ?? "";
  return table
    .split("\n")
    .flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)])
    .flatMap(([, word = ""]) => [word]);
}

describe("docs/TOKENS.md", () => {
  it("lists exactly the scopes that grant something", () => {
    expect(firstCells(read("TOKENS"), "scope").sort()).toEqual([...KNOWN_SCOPES].sort());
  });
});

describe("docs/WEBSOCKET.md", () => {
  const page = read("WEBSOCKET");

  it("lists exactly the codes of error frames", () => {
    expect(firstCells(page, "error code").sort()).toEqual([...FRAME_ERROR_CODES].sort());
  });

  it("shows frames for the server that it takes", () => {
    const shown = firstCells(page, "frame");
    expect(shown).toHaveLength(3);
    for (const frame of shown) clientFrameSchema.parse(JSON.parse(frame));
  });

  it("names the paths and parameters by which a socket is opened", () => {
    const paths = [...page.matchAll(/`(\/ws[^`]*)`/g)].flatMap(([, path = ""]) => [path]);
    expect(paths).toHaveLength(2);
    const [ticket, token, from, epoch, ack] = firstCells(page, "query");
    for (const path of paths) {
      const request = new IncomingMessage(new Socket());
      request.url = `${path}?${token}=t&${from}=17&${epoch}=e&${ack}`;
      expect(readSocketRequest(request), path).toEqual({
        credential: { token: "t" },
        replay: { kind: "after", id: 17, epoch: "e" },
        acknowledges: true,
      });
      request.url = `${path}?${ticket}=one&${token}=t`;
      expect(readSocketRequest(request)?.credential, path).toEqual({ ticket: "one" });
    }
  });
});
