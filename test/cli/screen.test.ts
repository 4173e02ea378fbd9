/** What commands write to a terminal: within its width, and nothing that others wrote can steer it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloadText, utf8Of } from "../../src/cli/payload-text.ts";
import { formatTable } from "../../src/cli/table.ts";

const COLUMNS = [
  { title: "ID" },
  { title: "TOPIC", shrinks: true },
  { title: "WHY", shrinks: true },
];

describe("a table", () => {
  it("is as wide as its widest cells where there is room", () => {
    expect(formatTable(COLUMNS, [["0:1", "a.topic", "gone"]], 100)).toBe(
      "ID   TOPIC    WHY\n0:1  a.topic  gone",
    );
  });

  it("loses the middle of long cells, never that of an id", () => {
    const topic = "huleedu.class.student.associations.confirmed.v1";
    const [, row] = formatTable(COLUMNS, [["0:123456", topic, "invalid_event"]], 50).split("\n");
    expect(row).toBe("0:123456  huleedu.clas…confirmed.v1  invalid_event");
  });

  it("never has a line that is too long, nor more lines than rows", () => {
    const cell = fc.string({ unit: "binary", maxLength: 80 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant("0:1"), cell, cell), { maxLength: 5 }), (rows) => {
        const lines = formatTable(COLUMNS, rows, 40).split("\n");
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
        // eslint-disable-next-line no-control-regex
        expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      }),
    );
  });
});

describe("a payload", () => {
  it("is shown as it is where it is harmless text", () => {
    expect(payloadText(Buffer.from('{\n\t"a": "åß… 你好"\n}'))).toBe('{\n\t"a": "åß… 你好"\n}');
  });

  it("never reaches the terminal as a control character, whatever bytes it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        // eslint-disable-next-line no-control-regex
        expect(payloadText(bytes)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
      }),
    );
  });

  it("is a hex dump exactly where it is no UTF-8", () => {
    expect(utf8Of(Buffer.from("\u{FEFF}x"))).toBe("\u{FEFF}x");
    expect(payloadText(Buffer.from([0xc3, 0x28]))).toBe(`00000000  c3 28${" ".repeat(42)}  .(`);
  });
});
