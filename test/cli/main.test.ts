/** `npm start` with words behind it, or set up so that it cannot start. */
import { describe, expect, it } from "vitest";
import { runFile } from "./run-cli.ts";

describe("npm start", () => {
  it("lists every setting for --help, in at most 100 columns", async () => {
    const { code, stdout, stderr } = await runFile("main.ts", ["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^  PORT +HTTP and WebSocket port.* \(0\.\.65535\) \[8003\]$/m);
    const longest = Math.max(...stdout.split("\n").map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(100);
  });

  it.each([["--bogus"], ["start"], ["--port=80"]])("does not start with %s", async (word) => {
    const { code, stdout, stderr } = await runFile("main.ts", [word]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(word.split("=")[0]);
    expect(stderr).toContain("npm start -- --help");
  });

  it("names the setting whose folder cannot be written", async () => {
    const env = { DATA_DIR: import.meta.filename, PORT: "0" };
    const { code, stderr } = await runFile("main.ts", [], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATA_DIR: must be a folder that can be written/m);
    expect(stderr).not.toContain("    at ");
  });
});
