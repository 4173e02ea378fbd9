/** What `npm run soak` may be asked for. */
import { describe, expect, it } from "vitest";
import { parseSoakArguments } from "./arguments.ts";

describe("arguments of a soak", () => {
  it("takes half an hour at 60 a second unless it is told", () => {
    expect(parseSoakArguments([])).toEqual({
      kind: "options",
      options: {
        minutes: 30,
        rate: 60,
        sockets: 500,
        seed: 1,
        kafka: false,
        collect: 60,
        json: ".cache/soak.json",
        snapshots: undefined,
      },
    });
  });

  it("takes what is asked for", () => {
    const parsed = parseSoakArguments(["--minutes", "5", "--kafka", "--collect", "0"]);

    expect(parsed).toMatchObject({ options: { minutes: 5, kafka: true, collect: 0 } });
  });

  it.each([
    [["--minutes", "0"], "--minutes"],
    [["--rate", "many"], "--rate"],
    [["--sockets", "20000"], "--sockets"],
    [["--json="], "path"],
    [["--speed", "1"], "--speed"],
  ])("refuses %j with a reason", (args, reason) => {
    const parsed = parseSoakArguments(args);

    expect(parsed.kind).toBe("wrong");
    expect(parsed.kind === "wrong" && parsed.message).toContain(reason);
  });
});
